//! `fieldSelector`, with the grammar of k8s.io/apimachinery/pkg/fields: `status.phase=Running`.

use crate::serve::api::status::Status;
use crate::serve::pods::ServedPod;

/// A selector has no more requirements than this.
const MAX_REQUIREMENTS: usize = 64;

/// A field selector. All of its requirements must be met.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::serve::api) struct FieldSelector(Vec<Requirement>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Requirement {
    field: Field,
    is_equal: bool,
    value: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Field {
    Name,
    Namespace,
    Phase,
    Node,
}

impl FieldSelector {
    /// Reads it. The error has the API server's words.
    pub(in crate::serve::api) fn parse(text: &str) -> Result<Self, Status> {
        let terms = terms(text).into_iter().filter(|term| !term.is_empty());
        let all: Vec<Requirement> = terms.map(requirement).collect::<Result<_, _>>()?;
        if all.len() > MAX_REQUIREMENTS {
            let why = format!("invalid selector: more than {MAX_REQUIREMENTS} requirements");
            return Err(Status::bad_request(why));
        }
        Ok(Self(all))
    }

    pub(in crate::serve::api) fn selects(&self, pod: &ServedPod, node: &str) -> bool {
        self.0.iter().all(|Requirement { field, is_equal, value }| {
            let actual = match field {
                Field::Name => &pod.pod.name,
                Field::Namespace => &pod.pod.namespace,
                Field::Phase => pod.phase().word(),
                Field::Node => node,
            };
            (actual == value) == *is_equal
        })
    }
}

/// The parts between commas. A comma after a backslash belongs to a value.
fn terms(text: &str) -> Vec<&str> {
    let (mut terms, mut rest, mut is_escaped) = (Vec::new(), 0, false);
    for (index, byte) in text.bytes().enumerate() {
        if byte == b',' && !is_escaped {
            terms.extend(text.get(rest..index));
            rest = index + 1;
        }
        is_escaped = byte == b'\\' && !is_escaped;
    }
    terms.extend(text.get(rest..));
    terms
}

fn requirement(term: &str) -> Result<Requirement, Status> {
    let unreadable =
        || Status::bad_request(format!("invalid selector: '{term}'; can't understand '{term}'"));
    let (name, value) = term.split_once('=').ok_or_else(unreadable)?;
    let (name, is_equal) = match name.strip_suffix('!') {
        Some(name) => (name, false),
        None => (name, true),
    };
    let value = value.strip_prefix('=').filter(|_| is_equal).unwrap_or(value);
    let field = match name {
        "metadata.name" => Field::Name,
        "metadata.namespace" => Field::Namespace,
        "status.phase" => Field::Phase,
        "spec.nodeName" => Field::Node,
        _ => return Err(Status::bad_request(format!("field label not supported: {name}"))),
    };
    let value = unescaped(value).ok_or_else(unreadable)?;
    Ok(Requirement { field, is_equal, value })
}

/// A value without the backslashes before `\`, `,` and `=`, which can stand nowhere else.
fn unescaped(text: &str) -> Option<String> {
    let (mut value, mut chars) = (String::new(), text.chars());
    while let Some(char) = chars.next() {
        value.push(match char {
            '\\' => chars.next().filter(|next| "\\,=".contains(*next))?,
            ',' | '=' => return None,
            char => char,
        });
    }
    Some(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::serve::pods::example::served;

    #[test]
    fn a_pod_is_selected_by_name_namespace_phase_and_node() {
        let pod = served("shop/kuard/u1", true);
        for (selector, expected) in [
            ("", true),
            ("metadata.name=kuard", true),
            ("metadata.name==kuard", true),
            ("metadata.name=other", false),
            ("metadata.name!=other", true),
            ("metadata.namespace=shop,status.phase=Running", true),
            ("status.phase!=Running", false),
            ("spec.nodeName=node-1", true),
            ("spec.nodeName=node-2,", false),
            ("metadata.name=a\\,b", false),
        ] {
            let selector = FieldSelector::parse(selector).unwrap();
            assert_eq!(selector.selects(&pod, "node-1"), expected, "{selector:?}");
        }
    }

    #[test]
    fn other_fields_and_texts_are_refused_in_the_api_servers_words() {
        for (selector, message) in [
            ("spec.hostNetwork=true", "field label not supported: spec.hostNetwork"),
            ("=x", "field label not supported: "),
            ("kuard", "invalid selector: 'kuard'; can't understand 'kuard'"),
            (
                "metadata.name=a\\x",
                "invalid selector: 'metadata.name=a\\x'; can't understand 'metadata.name=a\\x'",
            ),
        ] {
            let status = FieldSelector::parse(selector).unwrap_err();
            assert_eq!((status.code(), status.message()), (400, message));
        }
    }
}
