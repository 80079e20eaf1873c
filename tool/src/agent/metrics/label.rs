//! Values of labels that come from other processes.

use crate::output::escaped;

/// A longer value is cut. Names of pods have 253 bytes at most.
const MAX_BYTES: usize = 253;

/// The text as the value of a label: cut at the limit, and with control, invisible and bidirectional
/// characters escaped. The formats escape quotes and backslashes themselves.
pub(super) fn label(text: &[u8]) -> String {
    let mut value = escaped(text.get(..MAX_BYTES).unwrap_or(text));
    value.truncate(value.floor_char_boundary(MAX_BYTES));
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_short_and_has_no_control_characters() {
        assert_eq!(label(b"kuard-\"1\""), "kuard-\"1\"");
        assert_eq!(label(b"a\nb\x1b[2J\xff"), r"a\nb\x1b[2J\xff");
        let long = label("\u{202e}".repeat(1000).as_bytes());
        assert!((MAX_BYTES - 8..=MAX_BYTES).contains(&long.len()), "{}", long.len());
    }
}
