//! Messages of CRI's api.proto, as far as the benchmark needs them. The package has no library for them:
//! `cargo xtask` must build fast on a machine that has nothing yet.

/// A message that is written field by field. The numbers of fields are below 16.
#[derive(Clone, Default)]
pub(super) struct Message(Vec<u8>);

/// The type of a field with a length (protobuf.dev, "Encoding").
const WITH_LENGTH: u8 = 2;

impl Message {
    pub(super) fn text(self, field: u8, value: &str) -> Self {
        self.bytes(field, value.as_bytes())
    }

    pub(super) fn message(self, field: u8, value: &Self) -> Self {
        self.bytes(field, &value.0)
    }

    /// A list with one number.
    pub(super) fn number(self, field: u8, value: u16) -> Self {
        let mut number = Vec::new();
        push_number(&mut number, value.into());
        self.bytes(field, &number)
    }

    fn bytes(mut self, field: u8, value: &[u8]) -> Self {
        self.0.push(field << 3 | WITH_LENGTH);
        push_number(&mut self.0, value.len());
        self.0.extend(value);
        self
    }

    /// The message as gRPC sends it: not compressed, with its length.
    pub(super) fn framed(&self) -> Vec<u8> {
        let len = u32::try_from(self.0.len()).unwrap_or(u32::MAX);
        [&[0], &len.to_be_bytes()[..], &self.0].concat()
    }
}

/// The text in the first field of an answer of gRPC.
pub(super) fn first_text(answer: &[u8]) -> Option<String> {
    let mut bytes = answer.get(5..)?.iter().copied();
    if bytes.next()? != 1 << 3 | WITH_LENGTH {
        return None;
    }
    let mut len = 0;
    for shift in (0..28).step_by(7) {
        let byte = bytes.next()?;
        len |= usize::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            break;
        }
    }
    String::from_utf8(bytes.take(len).collect()).ok()
}

fn push_number(to: &mut Vec<u8>, mut number: usize) {
    while number > 0x7f {
        to.push(u8::try_from(number & 0x7f).unwrap_or(0) | 0x80);
        number >>= 7;
    }
    to.push(u8::try_from(number).unwrap_or(0));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_read_as_it_was_written() {
        for len in [0, 1, 127, 128, 20_000] {
            let text = "x".repeat(len);
            let written = Message::default().text(1, &text).number(2, 8080);
            assert_eq!(first_text(&written.framed()), Some(text));
        }
        assert_eq!(first_text(&Message::default().text(2, "x").framed()), None);
    }

    #[test]
    fn numbers_are_written_as_the_specification_says() {
        let written = Message::default().number(3, 150);
        assert_eq!(written.framed(), [0, 0, 0, 0, 4, 0x1a, 2, 0x96, 1]);
    }
}
