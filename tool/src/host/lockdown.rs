//! The kernel's lockdown: kernel_lockdown(7).

use std::fs;

use super::private_mount::SECURITYFS;

const FILE: &str = "/sys/kernel/security/lockdown";

/// The mode in which kernel programs may not read the kernel's memory (`LOCKDOWN_BPF_READ_KERNEL`,
/// include/linux/security.h).
pub const CONFIDENTIALITY: &str = "confidentiality";

/// `none`, `integrity` or `confidentiality`; `None` if the kernel has no lockdown, or if this process may
/// not read the mode.
#[must_use]
pub fn mode() -> Option<String> {
    let text = fs::read_to_string(FILE).ok();
    let text = text.or_else(|| SECURITYFS.with(|| fs::read_to_string(FILE)).ok()?.ok());
    text.as_deref().and_then(selected)
}

/// Whether the kernel lets no program read its memory.
#[must_use]
pub fn is_confidential() -> bool {
    mode().as_deref() == Some(CONFIDENTIALITY)
}

/// The mode in brackets: `none [integrity] confidentiality`.
fn selected(text: &str) -> Option<String> {
    let (_, rest) = text.split_once('[')?;
    Some(rest.split_once(']')?.0.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mode_is_in_brackets() {
        assert_eq!(selected("none [integrity] confidentiality\n").as_deref(), Some("integrity"));
        assert_eq!(selected(""), None);
    }
}
