//! Kernel BTF -> [`Offsets`]: finds every field of the table in `pfsnoop_common::offsets`.

use pfsnoop_common::Offsets;
use pfsnoop_common::offsets::{FIELDS, Field};

use super::ProbeError;
use super::btf::Btf;
use super::kernel_btf::KernelBtf;

/// Resolves every offset for the running kernel.
pub(super) fn of_this_kernel() -> Result<Offsets, ProbeError> {
    let data = KernelBtf::open().map_err(ProbeError::NoBtf)?;
    let btf = Btf::parse(&data, &structures())?;
    if let Some(kind) = btf.unknown_kind() {
        log::warn!(
            "this kernel's BTF has types of kind {kind}, which this pfsnoop cannot read: values may \
             be missing; try a newer pfsnoop"
        );
    }
    resolve(&btf)
}

/// Each structure of the table, once.
fn structures() -> Vec<&'static str> {
    let mut structures: Vec<_> = FIELDS.iter().map(|field| field.structure).collect();
    structures.sort_unstable();
    structures.dedup();
    structures
}

fn resolve(btf: &Btf<'_>) -> Result<Offsets, ProbeError> {
    let mut offsets = Offsets::UNRESOLVED;
    let words: &mut [u32] = bytemuck::cast_slice_mut(bytemuck::bytes_of_mut(&mut offsets));
    for (word, field) in words.iter_mut().zip(FIELDS) {
        match find(btf, field) {
            Some(offset) => *word = offset,
            None if field.is_required => {
                return Err(match btf.unknown_kind() {
                    Some(kind) => ProbeError::UnknownKind { kind, field: field.label },
                    None => ProbeError::FieldMissing(field.label),
                });
            }
            None => {}
        }
    }
    Ok(offsets)
}

fn find(btf: &Btf<'_>, field: &Field) -> Option<u32> {
    if field.paths.is_empty() {
        return btf.size_of(field.structure);
    }
    field.paths.iter().find_map(|path| btf.field_offset(field.structure, path))
}

#[cfg(test)]
mod tests {
    use pfsnoop_common::offsets::ABSENT;

    use super::*;

    #[test]
    fn the_error_names_a_kind_that_hides_a_field() {
        // A header, and one type of kind 77.
        let words = [0x0001_eb9f, 24, 0, 12, 12, 1, 0, 77 << 24, 0];
        let data: Vec<u8> =
            words.iter().flat_map(|word: &u32| word.to_ne_bytes()).chain([0]).collect();
        let error = resolve(&Btf::parse(&data, &structures()).unwrap()).unwrap_err().to_string();
        assert!(error.contains("kind 77") && error.contains("newer pfsnoop"), "{error}");
    }

    #[test]
    fn this_kernel_has_every_field() {
        let offsets = of_this_kernel().expect("this kernel has BTF");
        let words: &[u32] = bytemuck::cast_slice(bytemuck::bytes_of(&offsets));
        for (&offset, field) in words.iter().zip(FIELDS) {
            assert_ne!(offset, ABSENT, "{}", field.label);
        }
        assert_eq!(words.len(), FIELDS.len());
    }
}
