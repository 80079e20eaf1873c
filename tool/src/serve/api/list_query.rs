//! What a client asks of a list, in the query of the URL and in `Accept`.

use hyper::HeaderMap;
use hyper::header::ACCEPT;

use super::select::{FieldSelector, LabelSelector};
use super::status::Status;
use super::table::Include;

/// What a client asks of a list. `limit` is not among it: a server may answer with the whole list
/// (`ListOptions`: "Servers may choose not to support the limit argument").
#[derive(Debug, Default)]
pub(super) struct ListQuery {
    pub(super) labels: LabelSelector,
    pub(super) fields: FieldSelector,
    pub(super) include: Include,
    pub(super) is_watch: bool,
}

impl ListQuery {
    /// Reads the query of the URL.
    pub(super) fn parse(query: &str) -> Result<Self, Status> {
        let mut parsed = Self::default();
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            match name.as_ref() {
                "labelSelector" => parsed.labels = LabelSelector::parse(&value)?,
                "fieldSelector" => parsed.fields = FieldSelector::parse(&value)?,
                "includeObject" if value == "Object" => parsed.include = Include::Object,
                "watch" => parsed.is_watch = matches!(value.as_ref(), "true" | "1"),
                // No list here ends with a token.
                "continue" if !value.is_empty() => {
                    return Err(Status::bad_request("continue key is not valid"));
                }
                _ => {}
            }
        }
        Ok(parsed)
    }
}

/// Whether a client asks for a table of meta.k8s.io/v1 before it asks for plain JSON.
pub(super) fn wants_table(headers: &HeaderMap) -> bool {
    let values = headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok());
    let mut kinds = values.flat_map(|value| value.split(','));
    let is_json = |kind: &str| kind.split(';').next().map(str::trim) == Some("application/json");
    let has = |kind: &str, parameter| kind.split(';').any(|one| one.trim() == parameter);
    let is_table =
        |kind: &str| has(kind, "as=Table") && has(kind, "v=v1") && has(kind, "g=meta.k8s.io");
    let is_plain = |kind: &str| !kind.split(';').any(|one| one.trim().starts_with("as="));
    let first = kinds.find(|kind| is_json(kind) && (is_table(kind) || is_plain(kind)));
    first.is_some_and(is_table)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_is_decoded() {
        let query = "labelSelector=app%3Dweb%2C%21old&limit=500&watch=true&includeObject=Object";
        let parsed = ListQuery::parse(query).unwrap();
        assert_eq!(parsed.labels, LabelSelector::parse("app=web,!old").unwrap());
        assert!(parsed.is_watch && parsed.include == Include::Object);
        assert!(!ListQuery::parse("").unwrap().is_watch);
        for wrong in ["labelSelector=a+b", "fieldSelector=x", "continue=abc"] {
            assert_eq!(ListQuery::parse(wrong).unwrap_err().code(), 400, "{wrong}");
        }
    }

    #[test]
    fn a_table_is_sent_to_who_asks_for_it_first() {
        let wants =
            |accept: &str| wants_table(&[(ACCEPT, accept.parse().unwrap())].into_iter().collect());
        let table = "application/json;as=Table;v=v1;g=meta.k8s.io";
        let older = "application/json;as=Table;v=v1beta1;g=meta.k8s.io";
        assert!(wants(&format!("{table},{older},application/json")));
        assert!(wants(&format!("{older}, {table}")));
        for plain in [
            "application/json",
            &format!("application/json,{table}"),
            older,
            "application/vnd.kubernetes.protobuf,application/json",
            "*/*",
        ] {
            assert!(!wants(plain), "{plain}");
        }
        assert!(!wants_table(&HeaderMap::new()));
    }
}
