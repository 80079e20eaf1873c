//! Bytes from other processes as JSON strings.

use std::fmt::Write as _;

/// The text, unchanged but for bytes that are not UTF-8, which JSON cannot hold: such a byte becomes
/// `\xNN`. To keep text that looks like that apart, each backslash right before such an escape, or
/// before `xNN` in the text, is doubled.
///
/// To read it back: backslashes before `x` and two digits (`0-9a-f`) stand in pairs for one
/// backslash each, and one that is left over begins a byte. All other backslashes stand for
/// themselves.
#[must_use]
pub fn text(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        push_valid(&mut out, chunk.valid());
        for byte in chunk.invalid() {
            double_last_backslashes(&mut out);
            // Writing to a String cannot fail.
            let _ = write!(out, "\\x{byte:02x}");
        }
    }
    out
}

/// Appends text; doubles the backslashes before `xNN`.
fn push_valid(out: &mut String, text: &str) {
    let mut rest = text;
    while let Some(at) = rest.find("\\x") {
        let (before, after) = rest.split_at(at + 1);
        out.push_str(before);
        let digits = after.as_bytes().get(1..3).unwrap_or_default();
        if digits.len() == 2
            && digits.iter().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'))
        {
            double_last_backslashes(out);
        }
        rest = after;
    }
    out.push_str(rest);
}

fn double_last_backslashes(out: &mut String) {
    let count = out.len() - out.trim_end_matches('\\').len();
    out.extend(std::iter::repeat_n('\\', count));
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn only_bytes_that_are_not_utf8_and_what_looks_like_them_are_escaped() {
        for plain in ["a\nb\u{1b}ü", r"sed s/\./x/ \n \\ \x \xf \xFF \xg0 C:\x"] {
            assert_eq!(text(plain.as_bytes()), plain);
        }
        for (bytes, expected) in [
            (&b"a\xffb"[..], r"a\xffb"),
            (br"a\xffb", r"a\\xffb"),
            (br"a\\xffb", r"a\\\\xffb"),
            (b"\\\xff", r"\\\xff"),
            (b"\xe2\x82", r"\xe2\x82"),
            (b"\\x\xff", r"\x\xff"),
        ] {
            assert_eq!(text(bytes), expected);
        }
    }

    /// Reads the text back by the rule in docs/json.md.
    fn bytes(text: &str) -> Vec<u8> {
        let escape = regex::Regex::new(r"(\\+)x([0-9a-f]{2})").unwrap();
        let (mut bytes, mut end) = (Vec::new(), 0);
        for found in escape.captures_iter(text) {
            let whole = found.get(0).unwrap();
            bytes.extend(text[end..whole.start()].bytes());
            end = whole.end();
            bytes.extend(vec![b'\\'; found[1].len() / 2]);
            match found[1].len() % 2 {
                0 => bytes.extend(format!("x{}", &found[2]).bytes()),
                _ => bytes.push(u8::from_str_radix(&found[2], 16).unwrap()),
            }
        }
        bytes.extend(text[end..].bytes());
        bytes
    }

    fn hostile_bytes() -> impl Strategy<Value = Vec<u8>> {
        let part = prop_oneof![
            any::<Vec<u8>>(),
            any::<String>().prop_map(String::into_bytes),
            prop::sample::select(vec![&b"\\"[..], b"\\x", b"x", b"ff", b"41", b"\xff", b"\xc3"])
                .prop_map(<[u8]>::to_vec),
        ];
        prop::collection::vec(part, 0..12).prop_map(|parts| parts.concat())
    }

    proptest! {
        #[test]
        fn any_bytes_are_valid_json_and_can_be_read_back(input in hostile_bytes()) {
            let json = serde_json::to_string(&text(&input)).unwrap();
            let value: String = serde_json::from_str(&json).unwrap();
            prop_assert_eq!(bytes(&value), input);
        }
    }
}
