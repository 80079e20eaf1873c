//! What both sides know about the names of cgroups.

/// The kernel allows names of 255 bytes (`NAME_MAX`), and a NUL follows.
pub const NAME_SIZE: usize = 256;

/// A container's id has so many hexadecimal digits, so any name of this length or more may hold one.
const ID_LEN: usize = 64;

/// Amazon ECS names a container after its task, 32 hexadecimal digits, and a number behind a dash.
const TASK_LEN: usize = 32;

/// The name of a cgroup, with anything behind its end. In words: the verifier would follow each
/// comparison of a byte both ways.
#[repr(transparent)]
pub struct Name([u64; NAME_SIZE / 8]);

impl Name {
    /// Whether a cgroup with this name of `len` bytes may belong to a container. The kernel programs ask
    /// this of each folder above a process, and send the path around the first such name. User space
    /// decides by the path.
    #[inline(always)]
    #[must_use]
    pub fn may_be_containers(&self, len: usize) -> bool {
        const MACHINE: u64 = u64::from_ne_bytes(*b"machine-");
        const SYSTEMD: u64 = u64::from_ne_bytes(*b"systemd-");
        const NSPAWN: u64 = u64::from_ne_bytes(*b"nspawn@\0");
        const SEVEN_BYTES: u64 = u64::from_ne_bytes(*b"\xff\xff\xff\xff\xff\xff\xff\0");
        const LXC: u64 = u64::from_ne_bytes(*b"lxc\0\0\0\0\0");
        const THREE_BYTES: u64 = u64::from_ne_bytes(*b"\xff\xff\xff\0\0\0\0\0");
        const DASH: u64 = u64::from_ne_bytes(*b"-\0\0\0\0\0\0\0");
        const ONE_BYTE: u64 = u64::from_ne_bytes(*b"\xff\0\0\0\0\0\0\0");
        let words = &self.0;
        match words[0] {
            MACHINE => true,
            SYSTEMD => words[1] & SEVEN_BYTES == NSPAWN,
            word if word & THREE_BYTES == LXC => true,
            _ => len >= ID_LEN || len > TASK_LEN && words[TASK_LEN / 8] & ONE_BYTE == DASH,
        }
    }
}

impl From<[u8; NAME_SIZE]> for Name {
    fn from(name: [u8; NAME_SIZE]) -> Self {
        Self(bytemuck::cast(name))
    }
}
