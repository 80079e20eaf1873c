//! What the running kernel is, and what it lets us do.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use procfs::process::Process;

/// Where the kernel's own types are (CONFIG_DEBUG_INFO_BTF).
const BTF: &str = "/sys/kernel/btf/vmlinux";

/// kernel_lockdown(7).
const LOCKDOWN: &str = "/sys/kernel/security/lockdown";

/// Name and number (include/uapi/linux/capability.h) of what setns(2) and other people's
/// /proc/PID/ns need. CAP_SYS_ADMIN stands for CAP_BPF and CAP_PERFMON too.
const CAPABILITIES: [(&str, u32); 2] = [("CAP_SYS_ADMIN", 21), ("CAP_SYS_PTRACE", 19)];

/// `PROC_USER_INIT_INO` (include/linux/proc_ns.h).
const FIRST_USER_NAMESPACE: u64 = 0xEFFF_FFFD;

/// The running kernel.
#[derive(Clone, Debug)]
pub struct Kernel {
    /// As `uname -r` says it.
    pub release: String,
    /// Whether it offers its types.
    pub has_btf: bool,
    /// `none`, `integrity` or `confidentiality`; `None` where the kernel has no lockdown.
    pub lockdown: Option<String>,
    /// What we lack of the capabilities that pfsnoop needs.
    pub missing_capabilities: Vec<&'static str>,
    /// Whether those that we have are the node's, and not a user namespace's.
    pub is_first_user_namespace: bool,
}

impl Kernel {
    /// This node's, and what it allows this process.
    #[must_use]
    pub fn running() -> Self {
        Self {
            release: rustix::system::uname().release().to_string_lossy().into_owned(),
            has_btf: Path::new(BTF).is_file(),
            lockdown: fs::read_to_string(LOCKDOWN).ok().and_then(|text| chosen(&text)),
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

/// The one in brackets: `none [integrity] confidentiality`.
fn chosen(text: &str) -> Option<String> {
    let (_, rest) = text.split_once('[')?;
    Some(rest.split_once(']')?.0.to_owned())
}

fn missing_capabilities() -> Vec<&'static str> {
    let status = Process::myself().and_then(|process| process.status());
    // Where /proc says nothing, what is tried will say it.
    let held = status.map_or(u64::MAX, |status| status.capeff);
    let missing = CAPABILITIES.iter().filter(|(_, number)| held >> number & 1 == 0);
    missing.map(|&(name, _)| name).collect()
}

/// Where /proc says nothing, what is tried will say it.
fn is_first_user_namespace() -> bool {
    fs::metadata("/proc/self/ns/user").map_or(true, |user| user.ino() == FIRST_USER_NAMESPACE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_the_kernel_writes() {
        let kernel = Kernel::running();
        assert!(kernel.version() >= Some((5, 8)) && kernel.has_btf, "{kernel:?}");
        let old = Kernel { release: "4.19.0-27-amd64".to_owned(), ..kernel };
        assert_eq!(old.version(), Some((4, 19)));
        assert_eq!(chosen("none [integrity] confidentiality\n").as_deref(), Some("integrity"));
        assert_eq!(chosen(""), None);
    }
}
