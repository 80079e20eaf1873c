//! `labelSelector`, with the grammar of k8s.io/apimachinery/pkg/labels: `app=web,tier in (a, b),!old`.

use std::collections::BTreeMap;
use std::iter::Peekable;

use super::lexer::{Symbol, Symbols};
use crate::serve::api::status::Status;

/// A selector has no more requirements than this.
const MAX_REQUIREMENTS: usize = 64;

/// A label selector. All of its requirements must be met; without one, every object is selected.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::serve::api) struct LabelSelector(Vec<Requirement>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Requirement {
    Exists(String),
    Missing(String),
    In(String, Vec<String>),
    /// Met by an object without the label too.
    NotIn(String, Vec<String>),
}

impl LabelSelector {
    /// Reads it. The error has the API server's words.
    pub(in crate::serve::api) fn parse(text: &str) -> Result<Self, Status> {
        let mut parser = Parser(Symbols::of(text).peekable());
        let failed = |why| Status::bad_request(format!("unable to parse requirement: {why}"));
        let mut all = Vec::new();
        while parser.0.peek().is_some() {
            if all.len() >= MAX_REQUIREMENTS {
                return Err(failed(format!("more than {MAX_REQUIREMENTS} requirements")));
            }
            all.push(parser.requirement().map_err(failed)?);
            match parser.0.next() {
                None => break,
                Some(Symbol::Comma) if parser.0.peek().is_some() => {}
                Some(Symbol::Comma) => return Err(failed(found(None, "identifier after ','"))),
                other => return Err(failed(found(other, "',' or 'end of string'"))),
            }
        }
        Ok(Self(all))
    }

    pub(in crate::serve::api) fn selects(&self, labels: &BTreeMap<String, String>) -> bool {
        self.0.iter().all(|one| match one {
            Requirement::Exists(name) => labels.contains_key(name),
            Requirement::Missing(name) => !labels.contains_key(name),
            Requirement::In(name, values) => labels.get(name).is_some_and(|it| values.contains(it)),
            Requirement::NotIn(name, values) => {
                labels.get(name).is_none_or(|it| !values.contains(it))
            }
        })
    }
}

struct Parser<'a>(Peekable<Symbols<'a>>);

impl Parser<'_> {
    fn requirement(&mut self) -> Result<Requirement, String> {
        if self.0.next_if_eq(&Symbol::Not).is_some() {
            return self.name().map(Requirement::Missing);
        }
        let name = self.name()?;
        match self.0.peek() {
            None | Some(Symbol::Comma) => Ok(Requirement::Exists(name)),
            Some(Symbol::Equal) => Ok(Requirement::In(name, vec![self.value()])),
            Some(Symbol::NotEqual) => Ok(Requirement::NotIn(name, vec![self.value()])),
            Some(Symbol::Word("in")) => Ok(Requirement::In(name, self.values()?)),
            Some(Symbol::Word("notin")) => Ok(Requirement::NotIn(name, self.values()?)),
            other => Err(found(other.copied(), "in, notin, =, ==, !=")),
        }
    }

    fn name(&mut self) -> Result<String, String> {
        match self.0.next() {
            Some(Symbol::Word(name)) => Ok(name.to_owned()),
            other => Err(found(other, "identifier")),
        }
    }

    /// The value after a sign. It may be empty.
    fn value(&mut self) -> String {
        self.0.next();
        match self.0.next_if(|symbol| matches!(symbol, Symbol::Word(_))) {
            Some(Symbol::Word(value)) => value.to_owned(),
            _ => String::new(),
        }
    }

    /// `in (a, b)`, from `in` on.
    fn values(&mut self) -> Result<Vec<String>, String> {
        self.0.next();
        match self.0.next() {
            Some(Symbol::Open) => {}
            other => return Err(found(other, "'('")),
        }
        let (mut values, mut last) = (Vec::new(), String::new());
        loop {
            match self.0.next() {
                Some(Symbol::Word(word)) if last.is_empty() => word.clone_into(&mut last),
                Some(Symbol::Comma) => values.push(std::mem::take(&mut last)),
                Some(Symbol::Close) => {
                    values.push(last);
                    return Ok(values);
                }
                other => return Err(found(other, "',', ')' or identifier")),
            }
        }
    }
}

fn found(symbol: Option<Symbol<'_>>, expected: &str) -> String {
    let found = match symbol {
        None => "",
        Some(Symbol::Comma) => ",",
        Some(Symbol::Open) => "(",
        Some(Symbol::Close) => ")",
        Some(Symbol::Equal) => "=",
        Some(Symbol::NotEqual) => "!=",
        Some(Symbol::Not) => "!",
        Some(Symbol::Word(word)) => word,
    };
    format!("found '{found}', expected: {expected}")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn selects(selector: &str, labels: &[(&str, &str)]) -> bool {
        let labels = labels.iter().map(|&(name, value)| (name.to_owned(), value.to_owned()));
        LabelSelector::parse(selector).unwrap().selects(&labels.collect())
    }

    #[test]
    fn all_requirements_must_be_met() {
        let web = [("app", "web"), ("tier", "front"), ("example.com/x", "")];
        for (selector, expected) in [
            ("", true),
            ("app=web", true),
            ("app == web", true),
            ("app=db", false),
            ("app!=db", true),
            ("app!=web", false),
            ("none!=web", true),
            ("app in (db, web)", true),
            ("app in (db,cache)", false),
            ("app notin (db)", true),
            ("none notin (db)", true),
            ("app notin(db,web)", false),
            ("app", true),
            ("none", false),
            ("!app", false),
            ("!none", true),
            ("example.com/x=", true),
            ("app=", false),
            ("none=", false),
            ("example.com/x in ()", true),
            ("app=web,tier=front", true),
            ("app=web,tier=back", false),
            ("app=web,!none , tier in (front)", true),
            ("in=web", false),
        ] {
            assert_eq!(selects(selector, &web), expected, "{selector}");
        }
    }

    #[test]
    fn a_selector_that_cannot_be_read_is_a_bad_request() {
        for (selector, why) in [
            ("app web", "found 'web', expected: in, notin, =, ==, !="),
            ("=web", "found '=', expected: identifier"),
            ("app=web,", "found '', expected: identifier after ','"),
            (",", "found ',', expected: identifier"),
            ("!", "found '', expected: identifier"),
            ("app in web", "found 'web', expected: '('"),
            ("app in (web", "found '', expected: ',', ')' or identifier"),
            ("app in (web db)", "found 'db', expected: ',', ')' or identifier"),
            ("app=web tier=x", "found 'tier', expected: ',' or 'end of string'"),
            ("app>1", "found '>1', expected: in, notin, =, ==, !="),
        ] {
            let status = LabelSelector::parse(selector).unwrap_err();
            let expected = format!("unable to parse requirement: {why}");
            assert_eq!((status.code(), status.message()), (400, expected.as_str()), "{selector}");
        }
        assert!(LabelSelector::parse(&"a,".repeat(1000)).is_err());
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "[a!=,() in\u{e9}<]{0,40}") {
            let _ = LabelSelector::parse(&text);
        }
    }
}
