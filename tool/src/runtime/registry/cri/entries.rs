//! The entries of a list, read with tolerance and within a limit.
//!
//! An empty entry takes two bytes in a message and forty times as many in memory, so the limit of a
//! message's length alone is none for the memory.

use prost::bytes::{Buf, BufMut, Bytes};
use prost::encoding::{DecodeContext, WireType, bytes, skip_field};
use prost::{DecodeError, Message};

/// At most this many entries are read.
const MAX_ENTRIES: usize = 20_000;

/// A message that has a list as its field 1, such as `ListContainersResponse`.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Entries<T> {
    pub(super) list: Vec<T>,
    /// How many cannot be read, or are beyond [`MAX_ENTRIES`].
    pub(super) skipped: usize,
}

impl<T> Default for Entries<T> {
    fn default() -> Self {
        Self { list: Vec::new(), skipped: 0 }
    }
}

impl<T: Message + Default> Message for Entries<T> {
    /// It is only received.
    fn encode_raw(&self, _: &mut impl BufMut) {}

    fn merge_field(
        &mut self,
        tag: u32,
        wire_type: WireType,
        buf: &mut impl Buf,
        ctx: DecodeContext,
    ) -> Result<(), DecodeError> {
        if tag != 1 || wire_type != WireType::LengthDelimited {
            return skip_field(wire_type, tag, buf, ctx);
        }
        if self.list.len() >= MAX_ENTRIES {
            self.skipped += 1;
            return skip_field(wire_type, tag, buf, ctx);
        }
        let mut entry = Bytes::new();
        bytes::merge(wire_type, &mut entry, buf, ctx)?;
        match T::decode(entry) {
            Ok(entry) => self.list.push(entry),
            Err(_) => self.skipped += 1,
        }
        Ok(())
    }

    fn encoded_len(&self) -> usize {
        0
    }

    fn clear(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runtime::registry::cri::messages::Container;

    /// A field of that kind with this content.
    fn field(key: u8, content: &[u8]) -> Vec<u8> {
        let mut field = vec![key];
        prost::encode_length_delimiter(content.len(), &mut field).unwrap();
        field.extend(content);
        field
    }

    #[test]
    fn one_entry_that_cannot_be_read_costs_that_entry() {
        let entry = |id: &[u8]| field(0x0a, &field(0x0a, id));
        // The id is no text; the id is a number; the length of the id is a lie.
        let wrong = [entry(b"\xff"), field(0x0a, b"\x08\x07"), field(0x0a, b"\x0a\x7fx")].concat();
        // A field that is not known, and the list's field as a number.
        let other = [field(0x12, b"x"), b"\x08\x01".to_vec()].concat();
        let all = [entry(b"a"), wrong, other, entry(b"b")].concat();
        let Entries { list, skipped } = Entries::<Container>::decode(&all[..]).unwrap();
        let ids: Vec<&str> = list.iter().map(|one| one.id.as_str()).collect();
        assert_eq!((&ids[..], skipped), (&["a", "b"][..], 3));
        assert!(Entries::<Container>::decode(&b"\x0a\x7f"[..]).is_err());
    }

    #[test]
    fn empty_entries_take_no_more_memory_than_the_limit() {
        let all = b"\x0a\x00".repeat(1_000_000);
        let Entries { list, skipped } = Entries::<Container>::decode(&all[..]).unwrap();
        assert_eq!((list.len(), list.len() + skipped), (MAX_ENTRIES, 1_000_000));
    }
}
