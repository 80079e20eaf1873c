//! Settings that user space fixes when it loads the kernel programs: the filters, and the kinds of
//! records to make. Filters cost least in the kernel.

use bytemuck::{Pod, Zeroable};

use crate::record::COMM_LEN;

/// A comm as two words, so that a comparison takes two instructions.
#[must_use]
pub const fn comm_words(comm: &[u8; COMM_LEN]) -> [u64; 2] {
    let (words, _) = comm.as_chunks::<8>();
    [u64::from_le_bytes(words[0]), u64::from_le_bytes(words[1])]
}

/// Whether `comm` contains the bytes of `text` that `mask` selects.
///
/// `text` must be non-empty and free of NUL. A comm is padded with NULs, so a match never runs over
/// its end.
#[must_use]
#[inline(always)]
pub const fn comm_contains(comm: [u64; 2], text: [u64; 2], mask: [u64; 2]) -> bool {
    let [mut low, mut high] = comm;
    let mut start = 0;
    while start < COMM_LEN {
        if low & mask[0] == text[0] && high & mask[1] == text[1] {
            return true;
        }
        low = (low >> 8) | (high << 56);
        high >>= 8;
        start += 1;
    }
    false
}

/// Bits of [`Settings::filters`]: which fields of the settings select.
pub mod filters {
    /// Only processes with a comm that contains [`Settings::comm`](super::Settings::comm).
    pub const COMM: u32 = 1;
    /// Only this real user id.
    pub const UID: u32 = 2;
    /// Only children of this process.
    pub const PPID: u32 = 4;
    /// Only this cgroup (v2) and its descendants.
    pub const CGROUP: u32 = 8;
    /// Only nsenter and socat.
    pub const HELPERS: u32 = 16;
}

/// A read-only global of the kernel programs.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
pub struct Settings {
    /// See [`filters`]; with 0 every process passes.
    pub filters: u32,
    /// Real user id to select.
    pub uid: u32,
    /// Parent process to select.
    pub ppid: u32,
    /// 1 if ends of processes are traced.
    pub ends: u16,
    /// 1 if records of execs carry the name of their cgroup.
    pub cgroup_names: u16,
    /// Id of the cgroup: the inode of its directory.
    pub cgroup_id: u64,
    /// Text that a comm must contain, as two words.
    pub comm: [u64; 2],
    /// Mask for [`comm`](Self::comm): 0xff for each byte of the text.
    pub comm_mask: [u64; 2],
    /// The network namespace (its inode) that is home to a process without an entry in the map of
    /// homes; 0 if homes are not noted.
    pub host_netns: u32,
    /// 1 if failed execs are traced.
    pub failed_execs: u32,
    /// The pid namespace (its inode) in which [`ppid`](Self::ppid) counts; 0 for the kernel's own pids.
    pub ppid_pidns: u32,
    /// The host's mount namespace (its inode); 0 if it is not known.
    pub host_mntns: u32,
}

impl Settings {
    /// No filters. The object file holds these settings until user space overwrites them.
    pub const DEFAULT: Self = Self {
        filters: 0,
        uid: 0,
        ppid: 0,
        ends: 0,
        cgroup_names: 0,
        cgroup_id: 0,
        comm: [0; 2],
        comm_mask: [0; 2],
        host_netns: 0,
        failed_execs: 0,
        ppid_pidns: 0,
        host_mntns: 0,
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    fn padded(text: &str) -> [u64; 2] {
        let mut bytes = [0; COMM_LEN];
        bytes[..text.len()].copy_from_slice(text.as_bytes());
        comm_words(&bytes)
    }

    fn mask(len: usize) -> [u64; 2] {
        let mut bytes = [0; COMM_LEN];
        bytes[..len].fill(0xff);
        comm_words(&bytes)
    }

    fn contains(comm: &str, text: &str) -> bool {
        comm_contains(padded(comm), padded(text), mask(text.len()))
    }

    #[test]
    fn finds_text_wherever_it_stands() {
        for text in ["nsenter", "n", "ent", "ter"] {
            assert!(contains("nsenter", text), "{text}");
        }
        assert!(contains("kube-controller", "controller"), "across the two words");
        assert!(contains("kube-controller", "kube-controller"), "all fifteen bytes");
    }

    #[test]
    fn does_not_find_what_is_not_there() {
        for text in ["nsenterx", "x", "socat", "sent er"] {
            assert!(!contains("nsenter", text), "{text}");
        }
        assert!(!contains("", "n"));
    }
}
