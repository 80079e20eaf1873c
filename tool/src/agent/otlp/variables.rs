//! The variables of OpenTelemetry's specification ("OpenTelemetry Protocol Exporter").

use percent_encoding::percent_decode_str;

/// Reads a variable of the environment.
pub(super) struct Variables<'a> {
    read: &'a dyn Fn(&str) -> Option<String>,
}

/// A variable cannot be used.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{name}: {why}")]
pub struct VariableError {
    /// The variable, or the option of the command line.
    pub name: String,
    /// What is wrong with its value, and what to do. The value of a header is never shown.
    pub why: String,
}

impl VariableError {
    pub(super) fn new(name: &str, why: impl Into<String>) -> Self {
        Self { name: name.to_owned(), why: why.into() }
    }
}

impl<'a> Variables<'a> {
    pub(super) fn new(read: &'a dyn Fn(&str) -> Option<String>) -> Self {
        Self { read }
    }

    /// The value. An empty one counts as unset, as the specification says.
    pub(super) fn get(&self, name: &str) -> Option<String> {
        (self.read)(name).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty())
    }

    /// Whether a switch is on.
    pub(super) fn is_true(&self, name: &str) -> bool {
        self.get(name).is_some_and(|value| value.eq_ignore_ascii_case("true"))
    }
}

/// The pairs of a list `KEY=VALUE,KEY=VALUE`, percent-decoded as in W3C Baggage. What is no pair is left
/// out.
pub(super) fn pairs(list: &str) -> impl Iterator<Item = (String, String)> {
    list.split(',').filter_map(|pair| {
        let (key, value) = pair.split_once('=')?;
        let value = percent_decode_str(value.trim()).decode_utf8_lossy().into_owned();
        let key = percent_decode_str(key.trim()).decode_utf8_lossy().into_owned();
        (!key.is_empty()).then_some((key, value))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_percent_decoded() {
        let all: Vec<_> = pairs(" a=b , x%20y=1%2C2,=z,none,k=v=w,e=").collect();
        let expected = [("a", "b"), ("x y", "1,2"), ("k", "v=w"), ("e", "")];
        assert_eq!(all, expected.map(|(key, value)| (key.to_owned(), value.to_owned())));
    }
}
