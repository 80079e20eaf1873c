//! Escapes bytes from other processes. They are not trusted: they must neither control the terminal
//! nor deceive the reader.

use std::fmt::Write as _;

/// The text, with control characters and characters that hide or forge text replaced by escapes:
/// `\n`, `\x1b`, `\u{202e}`, and `\xNN` for bytes that are not UTF-8.
///
/// A backslash stays as it is, as in execsnoop's output. JSON records have the exact text.
#[must_use]
pub fn escaped(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        for char in chunk.valid().chars() {
            push_char(&mut out, char);
        }
        for byte in chunk.invalid() {
            push_hex(&mut out, *byte);
        }
    }
    out
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

/// C1 controls, and characters of zero width that reorder or separate text.
fn is_deceptive(char: char) -> bool {
    matches!(char,
        '\u{80}'..='\u{9f}' | '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}'
        | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
        | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_text_is_unchanged() {
        for plain in ["", "nsenter -t 1", "grüße 你好", r"sed s/\./x/"] {
            assert_eq!(escaped(plain.as_bytes()), plain);
        }
    }

    #[test]
    fn control_and_deceptive_characters_are_escaped() {
        assert_eq!(escaped(b"a\nb\tc\x1b[31m\x7f\0"), r"a\nb\tc\x1b[31m\x7f\x00");
        assert_eq!(escaped("\u{9b}31m \u{202e}gpj.exe".as_bytes()), r"\u{9b}31m \u{202e}gpj.exe");
        assert_eq!(escaped(b"\xff\xc3("), r"\xff\xc3(");
    }
}
