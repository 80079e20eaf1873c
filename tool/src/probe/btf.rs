//! A reader of the BPF Type Format that finds fields of kernel structures.
//!
//! A full parse of a kernel's BTF (5 MB) makes tens of megabytes of small objects and keeps them.
//! This reader reads the BTF once, in place. Layout: Documentation/bpf/btf.rst,
//! include/uapi/linux/btf.h.

use std::collections::HashMap;

/// The file is not BTF in a known version.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("not valid BTF: {0}")]
pub struct BtfError(&'static str);

const MAGIC: u16 = 0xeb9f;
const KIND_STRUCT: u32 = 4;
const KIND_UNION: u32 = 5;
/// `struct btf_type`: name offset, info, size or type.
const TYPE_LEN: usize = 12;
/// `struct btf_member`: name offset, type, offset in bits.
const MEMBER_LEN: usize = 12;
/// How deep anonymous structures may nest. Deeper ones make the file invalid.
const MAX_DEPTH: usize = 16;

/// A parsed view of a BTF file.
pub(super) struct Btf<'a> {
    types: &'a [u8],
    strings: &'a [u8],
    /// Where each type begins in `types`, by id; type 0 is `void` and has no bytes.
    index: Vec<u32>,
    /// Ids of the structures that the caller named.
    structs: HashMap<&'static str, Vec<u32>>,
}

/// The place of the members of a structure or union.
struct Members {
    at: usize,
    count: usize,
    /// Member offsets share their word with a bit-field size.
    has_bitfields: bool,
}

impl<'a> Btf<'a> {
    /// Reads the types, and remembers the places of the structures with these names.
    pub(super) fn parse(data: &'a [u8], wanted: &[&'static str]) -> Result<Self, BtfError> {
        let header = |at| u32_at(data, at).ok_or(BtfError("header is cut"));
        let magic = data.get(..2).ok_or(BtfError("empty"))?;
        if magic != MAGIC.to_ne_bytes() {
            return Err(BtfError("wrong magic or byte order"));
        }
        let base = header(4)? as usize;
        let section = |offset: u32, len: u32| {
            let start = base.checked_add(offset as usize)?;
            data.get(start..start.checked_add(len as usize)?)
        };
        let types = section(header(8)?, header(12)?).ok_or(BtfError("types are cut"))?;
        let strings = section(header(16)?, header(20)?).ok_or(BtfError("strings are cut"))?;
        let mut btf = Self { types, strings, index: vec![0], structs: HashMap::new() };
        btf.read_types(wanted)?;
        Ok(btf)
    }

    fn read_types(&mut self, wanted: &[&'static str]) -> Result<(), BtfError> {
        let cut = BtfError("a type is cut");
        let mut at = 0;
        while at < self.types.len() {
            let id = u32::try_from(self.index.len()).map_err(|_| BtfError("too many types"))?;
            self.index.push(u32::try_from(at).map_err(|_| BtfError("too large"))?);
            let Some(info) = u32_at(self.types, at + 4) else {
                return Err(cut);
            };
            if kind(info) == KIND_STRUCT {
                let name = u32_at(self.types, at).and_then(|offset| self.string(offset));
                if let Some(name) = wanted.iter().find(|wanted| name == Some(wanted.as_bytes())) {
                    self.structs.entry(name).or_default().push(id);
                }
            }
            at += TYPE_LEN + trailing_len(info).ok_or(BtfError("unknown kind of type"))?;
        }
        if at == self.types.len() { Ok(()) } else { Err(cut) }
    }

    /// Byte offset of a field such as `ns.inum` from the start of the named structure.
    pub(super) fn field_offset(&self, structure: &str, path: &str) -> Option<u32> {
        // Different structures may share a name: take the one that has the field.
        let mut ids = self.structs.get(structure)?.iter();
        let bits = ids.find_map(|&id| {
            path.split('.').try_fold((id, 0), |(id, bits), name| {
                let (field_type, field_bits) = self.member(id, name.as_bytes(), MAX_DEPTH)?;
                Some((field_type, bits + field_bits))
            })
        });
        bits.map(|(_, bits)| bits / 8)
    }

    /// Size of the named structure in bytes.
    pub(super) fn size_of(&self, structure: &str) -> Option<u32> {
        let &id = self.structs.get(structure)?.first()?;
        u32_at(self.types, *self.index.get(id as usize)? as usize + 8)
    }

    /// Type and bit offset of a member, which may be inside an anonymous member.
    fn member(&self, id: u32, name: &[u8], depth: usize) -> Option<(u32, u32)> {
        let members = self.members(id)?;
        for n in 0..members.count {
            let at = members.at + n * MEMBER_LEN;
            let member_name = self.string(u32_at(self.types, at)?)?;
            let member_type = u32_at(self.types, at + 4)?;
            let word = u32_at(self.types, at + 8)?;
            let bits = if members.has_bitfields { word & 0x00ff_ffff } else { word };
            if member_name == name {
                return Some((member_type, bits));
            }
            if member_name.is_empty()
                && depth > 0
                && let Some((found, inner)) = self.member(member_type, name, depth - 1)
            {
                return Some((found, bits.checked_add(inner)?));
            }
        }
        None
    }

    fn members(&self, id: u32) -> Option<Members> {
        let at = *self.index.get(id as usize)? as usize;
        let info = u32_at(self.types, at + 4)?;
        matches!(kind(info), KIND_STRUCT | KIND_UNION).then(|| Members {
            at: at + TYPE_LEN,
            count: vlen(info),
            has_bitfields: info >> 31 == 1,
        })
    }

    fn string(&self, offset: u32) -> Option<&'a [u8]> {
        let rest = self.strings.get(offset as usize..)?;
        rest.split(|&byte| byte == 0).next()
    }
}

fn kind(info: u32) -> u32 {
    (info >> 24) & 0x1f
}

fn vlen(info: u32) -> usize {
    (info & 0xffff) as usize
}

/// Bytes that follow a `struct btf_type`, by its kind (1 to 19).
fn trailing_len(info: u32) -> Option<usize> {
    let vlen = vlen(info);
    Some(match kind(info) {
        2 | 7..=12 | 16 | 18 => 0,
        1 | 14 | 17 => 4,
        3 => 12,
        6 | 13 => vlen * 8,
        KIND_STRUCT | KIND_UNION | 15 | 19 => vlen * 12,
        _ => return None,
    })
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    let word = bytes.get(at..at.checked_add(4)?)?;
    Some(u32::from_ne_bytes(word.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rejects_what_is_not_btf() {
        for bytes in [&b""[..], b"\x9f", b"ELF and more than a header's length"] {
            assert!(Btf::parse(bytes, &[]).is_err());
        }
        let mut cut = MAGIC.to_ne_bytes().to_vec();
        cut.extend([0; 6]);
        assert_eq!(Btf::parse(&cut, &[]).err(), Some(BtfError("header is cut")));
    }

    #[test]
    fn finds_fields_of_the_running_kernel() {
        let data = std::fs::read("/sys/kernel/btf/vmlinux").expect("this kernel has BTF");
        let btf = Btf::parse(&data, &["mm_struct", "net", "upid", "task_struct"]).unwrap();
        // In mm_struct everything is inside an anonymous structure.
        let start = btf.field_offset("mm_struct", "arg_start").unwrap();
        assert_eq!(btf.field_offset("mm_struct", "arg_end").unwrap(), start + 8);
        assert!(btf.field_offset("net", "ns.inum").is_some(), "a field of a field");
        assert_eq!(btf.size_of("upid"), Some(16));
        assert_eq!(btf.field_offset("task_struct", "no_such_field"), None);
        assert_eq!(btf.field_offset("not_asked_for", "x"), None);
    }
}
