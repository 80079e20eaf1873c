//! Escapes bytes from other processes. They are not trusted: they must neither control the terminal
//! nor deceive the reader.

use std::fmt::Write as _;

use icu_properties::props::{BidiControl, DefaultIgnorableCodePoint};
use icu_properties::{CodePointSetData, CodePointSetDataBorrowed};

/// Characters that a terminal does not show: they hide or separate text (UAX #44).
const IGNORABLE: CodePointSetDataBorrowed<'static> =
    CodePointSetData::new::<DefaultIgnorableCodePoint>();

/// Characters that reorder text (UAX #9).
const BIDI: CodePointSetDataBorrowed<'static> = CodePointSetData::new::<BidiControl>();

/// The text, with control characters and characters that hide or forge text replaced by escapes:
/// `\n`, `\x1b`, `\u{202e}`, and `\xNN` for bytes that are not UTF-8.
///
/// A backslash stays as it is, as in execsnoop's output: what looks like an escape may be the text
/// itself. `quoted` and JSON records have the exact text.
#[must_use]
pub fn escaped(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len());
    push_escaped(&mut out, bytes, |_| false);
    out
}

/// The text in quotes, from which its bytes can be told exactly: quotes and backslashes have a
/// backslash before them.
pub(super) fn quoted(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len() + 2);
    out.push('"');
    push_escaped(&mut out, bytes, |char| matches!(char, '"' | '\\'));
    out.push('"');
    out
}

/// An argument without quotes. A word that looks like one of the `marks` of a row gets an escape for
/// its first character, so that only a mark looks like a mark.
pub(super) fn unmarked(bytes: &[u8], marks: &[&str]) -> String {
    let text = escaped(bytes);
    if !marks.iter().any(|mark| text.contains(mark)) {
        return text;
    }
    let word = |word: &str| match word.as_bytes() {
        [first, rest @ ..] if marks.contains(&word.trim()) && first.is_ascii_punctuation() => {
            format!("\\x{first:02x}{}", String::from_utf8_lossy(rest))
        }
        _ => word.to_owned(),
    };
    text.split_inclusive(char::is_whitespace).map(word).collect()
}

fn push_escaped(out: &mut String, bytes: &[u8], has_backslash: impl Fn(char) -> bool) {
    for chunk in bytes.utf8_chunks() {
        for char in chunk.valid().chars() {
            if has_backslash(char) {
                out.push('\\');
            }
            push_char(out, char);
        }
        for byte in chunk.invalid() {
            push_hex(out, *byte);
        }
    }
}

fn push_char(out: &mut String, char: char) {
    match char {
        '\n' => out.push_str("\\n"),
        '\r' => out.push_str("\\r"),
        '\t' => out.push_str("\\t"),
        '\0'..='\x1f' | '\x7f' => push_hex(out, char as u8),
        char if is_deceptive(char) => out.extend(char.escape_unicode()),
        char => out.push(char),
    }
}

fn push_hex(out: &mut String, byte: u8) {
    // Writing to a String cannot fail.
    let _ = write!(out, "\\x{byte:02x}");
}

/// C1 controls, separators of lines, interlinear annotations, and what is invisible or reorders text.
fn is_deceptive(char: char) -> bool {
    !char.is_ascii()
        && (matches!(char, '\u{80}'..='\u{9f}' | '\u{2028}' | '\u{2029}' | '\u{fff9}'..='\u{fffb}')
            || IGNORABLE.contains(char)
            || BIDI.contains(char))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn plain_text_is_unchanged() {
        for plain in ["", "nsenter -t 1", "grüße 你好 한글", r"sed s/\./x/"] {
            assert_eq!(escaped(plain.as_bytes()), plain);
        }
    }

    #[test]
    fn control_and_deceptive_characters_are_escaped() {
        assert_eq!(escaped(b"a\nb\tc\x1b[31m\x7f\0"), r"a\nb\tc\x1b[31m\x7f\x00");
        assert_eq!(escaped("\u{9b}31m \u{202e}gpj.exe".as_bytes()), r"\u{9b}31m \u{202e}gpj.exe");
        assert_eq!(escaped(b"\xff\xc3("), r"\xff\xc3(");
    }

    #[test]
    fn invisible_characters_are_escaped() {
        for char in [
            '\u{ad}',
            '\u{34f}',
            '\u{61c}',
            '\u{115f}',
            '\u{1160}',
            '\u{17b4}',
            '\u{180b}',
            '\u{180e}',
            '\u{180f}',
            '\u{200b}',
            '\u{200e}',
            '\u{2028}',
            '\u{2029}',
            '\u{2060}',
            '\u{2066}',
            '\u{206f}',
            '\u{3164}',
            '\u{fe00}',
            '\u{fe0f}',
            '\u{feff}',
            '\u{ffa0}',
            '\u{fff9}',
            '\u{1bca0}',
            '\u{1d173}',
            '\u{e0001}',
            '\u{e007f}',
            '\u{e0100}',
            '\u{e01ef}',
        ] {
            let expected = format!("a\\u{{{:x}}}b", u32::from(char));
            assert_eq!(escaped(format!("a{char}b").as_bytes()), expected);
        }
    }

    #[test]
    fn quoted_text_has_its_backslashes_escaped() {
        assert_eq!(quoted(br#"a\" \"b"#), r#""a\\\" \\\"b""#);
        assert_ne!(quoted(b"\xff"), quoted(br"\xff"));
    }

    #[test]
    fn a_word_that_looks_like_a_mark_is_escaped() {
        let unmarked = |text: &str| unmarked(text.as_bytes(), &["...", "<unreadable>"]);
        assert_eq!(unmarked("..."), r"\x2e..");
        assert_eq!(
            unmarked("a ... <unreadable>\u{a0}... b"),
            "a \\x2e.. \\x3cunreadable>\u{a0}\\x2e.. b"
        );
        assert_eq!(unmarked("./... ...., a..."), "./... ...., a...");
    }

    /// The bytes of a quoted text, read by the rules in docs/exec.md.
    fn unquoted(text: &str) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut chars = text.strip_prefix('"').unwrap().strip_suffix('"').unwrap().chars();
        while let Some(char) = chars.next() {
            assert_ne!(char, '"', "a quote within quotes");
            if char != '\\' {
                bytes.extend(char.to_string().bytes());
                continue;
            }
            match chars.next().unwrap() {
                'n' => bytes.push(b'\n'),
                'r' => bytes.push(b'\r'),
                't' => bytes.push(b'\t'),
                'x' => {
                    let digits: String = chars.by_ref().take(2).collect();
                    bytes.push(u8::from_str_radix(&digits, 16).unwrap());
                }
                'u' => {
                    let digits: String =
                        chars.by_ref().skip(1).take_while(|&char| char != '}').collect();
                    let char = char::from_u32(u32::from_str_radix(&digits, 16).unwrap()).unwrap();
                    bytes.extend(char.to_string().bytes());
                }
                char @ ('"' | '\\') => bytes.push(char as u8),
                char => panic!("no escape: \\{char}"),
            }
        }
        bytes
    }

    /// Bytes with many escapes, quotes, marks and invisible characters among them.
    fn hostile_bytes() -> impl Strategy<Value = Vec<u8>> {
        let part = prop_oneof![
            any::<Vec<u8>>(),
            any::<String>().prop_map(String::into_bytes),
            any::<char>().prop_map(|char| char.to_string().into_bytes()),
            prop::sample::select(vec![
                "\\",
                "\"",
                "\\x",
                "ff",
                "\\u{",
                "}",
                " ",
                "...",
                "<unreadable>",
                "\u{3164}",
                "\n",
            ])
            .prop_map(|text| text.as_bytes().to_vec()),
        ];
        prop::collection::vec(part, 0..8).prop_map(|parts| parts.concat())
    }

    proptest! {
        #[test]
        fn any_bytes_become_printable(bytes in hostile_bytes()) {
            for text in [escaped(&bytes), quoted(&bytes), unmarked(&bytes, &["..."])] {
                let is_printable = |char: char| !char.is_control() && !is_deceptive(char);
                prop_assert!(text.chars().all(is_printable), "{text:?}");
            }
        }

        #[test]
        fn quoted_text_is_exact(bytes in hostile_bytes()) {
            prop_assert_eq!(unquoted(&quoted(&bytes)), bytes);
        }

        #[test]
        fn only_a_mark_looks_like_a_mark(bytes in hostile_bytes()) {
            let text = unmarked(&bytes, &["...", "<unreadable>"]);
            let is_mark = |word: &str| ["...", "<unreadable>"].contains(&word);
            prop_assert!(!text.split_whitespace().any(is_mark), "{text:?}");
        }
    }
}
