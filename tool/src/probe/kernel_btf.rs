//! The running kernel's own BTF.

use std::fs::File;
use std::io::{self, Read as _};
use std::ops::Deref;

use memmap2::{Mmap, MmapOptions};

const VMLINUX: &str = "/sys/kernel/btf/vmlinux";

/// The running kernel's own BTF: 5 MB, in place if the kernel has it so. Linux 6.16 and newer do
/// (`btf_sysfs_vmlinux_mmap`, kernel/bpf/sysfs_btf.c). To read it takes a system call and a copy for each
/// page.
pub(super) enum KernelBtf {
    InPlace(Mmap),
    Copy(Vec<u8>),
}

impl KernelBtf {
    pub(super) fn open() -> io::Result<Self> {
        let mut file = File::open(VMLINUX)?;
        // SAFETY: the bytes are a constant of the kernel, which nobody can change or cut.
        if let Ok(bytes) = unsafe { MmapOptions::new().map_copy_read_only(&file) } {
            return Ok(Self::InPlace(bytes));
        }
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        Ok(Self::Copy(bytes))
    }
}

impl Deref for KernelBtf {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Self::InPlace(bytes) => bytes,
            Self::Copy(bytes) => bytes,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ways_lead_to_the_same_bytes() {
        let read = std::fs::read(VMLINUX).expect("this kernel has BTF");
        assert!(*KernelBtf::open().unwrap() == read);
    }
}
