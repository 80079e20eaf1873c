//! The running kernel, and what it allows this process to do.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use procfs::process::Process;

use crate::host::lockdown;

/// The file with the kernel's own types (CONFIG_DEBUG_INFO_BTF).
const BTF: &str = "/sys/kernel/btf/vmlinux";

/// The capabilities that setns(2) and /proc/PID/ns of other users' processes need, with their
/// numbers (include/uapi/linux/capability.h). CAP_SYS_ADMIN includes CAP_BPF and CAP_PERFMON.
const CAPABILITIES: [(&str, u32); 2] = [("CAP_SYS_ADMIN", 21), ("CAP_SYS_PTRACE", 19)];

/// `PROC_USER_INIT_INO` (include/linux/proc_ns.h).
const FIRST_USER_NAMESPACE: u64 = 0xEFFF_FFFD;

/// The running kernel.
#[derive(Clone, Debug)]
pub struct Kernel {
    /// The release, as `uname -r` prints it.
    pub release: String,
    /// Whether the kernel offers BTF.
    pub has_btf: bool,
    /// `none`, `integrity` or `confidentiality`; `None` if the kernel has no lockdown.
    pub lockdown: Option<String>,
    /// Whether the kernel was booted with that mode. Else, a program has set it since.
    pub is_lockdown_booted: bool,
    /// The capabilities that pfsnoop needs and this process lacks.
    pub missing_capabilities: Vec<&'static str>,
    /// Whether this process is in the node's first user namespace. Elsewhere, its capabilities do
    /// not hold on the node.
    pub is_first_user_namespace: bool,
}

impl Kernel {
    /// Reads the facts of the running kernel and of this process.
    #[must_use]
    pub fn running() -> Self {
        Self {
            release: rustix::system::uname().release().to_string_lossy().into_owned(),
            has_btf: Path::new(BTF).is_file(),
            lockdown: lockdown::mode(),
            is_lockdown_booted: is_lockdown_booted(),
            missing_capabilities: missing_capabilities(),
            is_first_user_namespace: is_first_user_namespace(),
        }
    }

    /// Major and minor version.
    #[must_use]
    pub fn version(&self) -> Option<(u32, u32)> {
        let mut numbers = self.release.split(|char: char| !char.is_ascii_digit());
        Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
    }
}

fn is_lockdown_booted() -> bool {
    let line = fs::read_to_string("/proc/cmdline").unwrap_or_default();
    line.split_whitespace().any(|word| word == "lockdown=confidentiality")
}

fn missing_capabilities() -> Vec<&'static str> {
    let status = Process::myself().and_then(|process| process.status());
    // If /proc cannot be read, assume all capabilities: attaching the kernel programs shows what
    // is missing.
    let held = status.map_or(u64::MAX, |status| status.capeff);
    let missing = CAPABILITIES.iter().filter(|(_, number)| held >> number & 1 == 0);
    missing.map(|&(name, _)| name).collect()
}

/// `true` if /proc cannot be read: attaching the kernel programs shows what is missing.
fn is_first_user_namespace() -> bool {
    fs::metadata("/proc/self/ns/user").map_or(true, |user| user.ino() == FIRST_USER_NAMESPACE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_version() {
        let kernel = Kernel::running();
        assert!(kernel.version() > Some((5, 0)) && kernel.has_btf, "{kernel:?}");
        let old = Kernel { release: "4.19.0-27-amd64".to_owned(), ..kernel };
        assert_eq!(old.version(), Some((4, 19)));
    }
}
