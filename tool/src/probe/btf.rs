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
/// `struct btf_layout`: bytes of the part after `struct btf_type`, bytes of each of its elements, and
/// flags. One for each kind that the kernel's build knew, from kind 0 on.
const LAYOUT_LEN: usize = 4;
/// Length of a header that names a section of layouts.
const HEADER_WITH_LAYOUTS: u32 = 32;
/// How deep anonymous structures may nest. Deeper ones make the file invalid.
const MAX_DEPTH: usize = 16;

/// A parsed view of a BTF file.
pub(super) struct Btf<'a> {
    types: &'a [u8],
    strings: &'a [u8],
    /// The layouts of kinds; empty if the kernel does not describe them.
    layouts: &'a [u8],
    /// The first type of a kind whose length is not known. This type and those after it were not
    /// read.
    unknown_kind: Option<u32>,
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
        let layouts = if header(4)? >= HEADER_WITH_LAYOUTS {
            section(header(24)?, header(28)?).ok_or(BtfError("layouts are cut"))?
        } else {
            &[]
        };
        let (index, structs) = (vec![0], HashMap::new());
        let mut btf = Self { types, strings, layouts, unknown_kind: None, index, structs };
        btf.read_types(wanted)?;
        Ok(btf)
    }

    fn read_types(&mut self, wanted: &[&'static str]) -> Result<(), BtfError> {
        let cut = BtfError("a type is cut");
        let mut at = 0;
        while at < self.types.len() {
            let Some(info) = u32_at(self.types, at + 4) else {
                return Err(cut);
            };
            let Some(len) = trailing_len(info).or_else(|| self.described_len(info)) else {
                self.unknown_kind = Some(kind(info));
                return Ok(());
            };
            let id = u32::try_from(self.index.len()).map_err(|_| BtfError("too many types"))?;
            self.index.push(u32::try_from(at).map_err(|_| BtfError("too large"))?);
            if kind(info) == KIND_STRUCT {
                let name = u32_at(self.types, at).and_then(|offset| self.string(offset));
                if let Some(name) = wanted.iter().find(|wanted| name == Some(wanted.as_bytes())) {
                    self.structs.entry(name).or_default().push(id);
                }
            }
            at += TYPE_LEN + len;
        }
        if at == self.types.len() { Ok(()) } else { Err(cut) }
    }

    /// Bytes that follow a `struct btf_type` of a kind that is newer than this reader, as newer
    /// kernels describe them.
    fn described_len(&self, info: u32) -> Option<usize> {
        let at = kind(info) as usize * LAYOUT_LEN;
        let [info_len, element_len, ..] = *self.layouts.get(at..at + LAYOUT_LEN)? else {
            return None;
        };
        Some(usize::from(info_len) + vlen(info) * usize::from(element_len))
    }

    /// The kind of the first type that could not be read, if there is one. Structures after this
    /// type are not found.
    pub(super) fn unknown_kind(&self) -> Option<u32> {
        self.unknown_kind
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

/// `BTF_INFO_KIND`: 7 bits. Kernels that use only 5 of them leave the others 0.
fn kind(info: u32) -> u32 {
    (info >> 24) & 0x7f
}

/// `BTF_INFO_VLEN`: 24 bits. Kernels that use only 16 of them leave the others 0.
fn vlen(info: u32) -> usize {
    (info & 0x00ff_ffff) as usize
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

    const INT: u32 = 1;
    const NEW: u32 = 77;

    /// A BTF with a type of kind `NEW`, three words long, between the structures `before` and
    /// `after`. Each has a member `x` at byte 8.
    fn with_unknown_kind(layouts: &[[u8; LAYOUT_LEN]]) -> Vec<u8> {
        let strings = b"\0before\0after\0x\0";
        let structure = |name| [name, KIND_STRUCT << 24 | 1, 16, 14, 1, 64];
        let types = [
            &[0, INT << 24, 4, 0][..],
            &structure(1),
            &[0, NEW << 24 | 2, 0, 7, 8, 9],
            &structure(8),
        ]
        .concat();
        let len = |len: usize| u32::try_from(len).unwrap();
        let (types_len, strings_len) = (len(types.len() * 4), len(strings.len()));
        let header = [
            HEADER_WITH_LAYOUTS,
            0,
            types_len,
            types_len,
            strings_len,
            types_len + strings_len,
            len(layouts.len() * LAYOUT_LEN),
        ];
        let words = |words: &[u32]| words.iter().flat_map(|word| word.to_ne_bytes()).collect();
        [MAGIC.to_ne_bytes().to_vec(), vec![1, 0], words(&header), words(&types), strings.to_vec()]
            .concat()
            .into_iter()
            .chain(layouts.concat())
            .collect()
    }

    #[test]
    fn skips_an_unknown_kind_that_the_kernel_describes() {
        let mut layouts = [[0; LAYOUT_LEN]; NEW as usize + 1];
        layouts[NEW as usize] = [4, 4, 0, 0];
        let data = with_unknown_kind(&layouts);
        let btf = Btf::parse(&data, &["before", "after"]).unwrap();
        assert_eq!(btf.field_offset("before", "x"), Some(8));
        assert_eq!((btf.field_offset("after", "x"), btf.unknown_kind()), (Some(8), None));
    }

    #[test]
    fn keeps_what_comes_before_an_unknown_kind_that_the_kernel_does_not_describe() {
        let data = with_unknown_kind(&[[0; LAYOUT_LEN]; 20]);
        let btf = Btf::parse(&data, &["before", "after"]).unwrap();
        assert_eq!(btf.field_offset("before", "x"), Some(8));
        assert_eq!((btf.field_offset("after", "x"), btf.unknown_kind()), (None, Some(NEW)));
    }

    #[test]
    fn lengths_that_lead_out_of_the_file_are_errors() {
        let mut layouts = [[0; LAYOUT_LEN]; NEW as usize + 1];
        layouts[NEW as usize] = [255, 255, 0, 0];
        let data = with_unknown_kind(&layouts);
        assert_eq!(Btf::parse(&data, &[]).err(), Some(BtfError("a type is cut")));
        let cut = &data[..data.len() - 1];
        assert_eq!(Btf::parse(cut, &[]).err(), Some(BtfError("layouts are cut")));
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
