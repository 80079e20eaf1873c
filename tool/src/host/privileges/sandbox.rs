//! Landlock (landlock(7)): the thread can open no file any more, and reach no network.
//!
//! It must not be used where other processes are looked at: its rule for ptrace(2) also denies
//! /proc/PID/ns, root, exe and fd of every process outside, and nsenter would inherit it.

use landlock::{
    ABI, Access as _, AccessFs, AccessNet, PathBeneath, PathFd, RestrictionStatus, Ruleset,
    RulesetAttr as _, RulesetCreatedAttr as _, RulesetError, Scope,
};

/// The newest rules that were tested. An older kernel enforces those that it knows.
const TESTED: ABI = ABI::V7;

/// Where aya reads how many CPUs there are.
const CPUS: &str = "/sys/devices/system/cpu";

/// Runs this in a thread that can open no file, and that ends with it. Where the kernel has no Landlock,
/// or no thread can be started, it can open files.
pub fn without_files<T: Send>(work: impl Fn() -> T + Sync) -> T {
    let restricted = || {
        if let Err(error) = restrict() {
            log::debug!("cannot restrict a thread by Landlock: {error}");
        }
        work()
    };
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().spawn_scoped(scope, restricted);
        thread.ok().and_then(|thread| thread.join().ok())
    })
    .unwrap_or_else(&work)
}

/// Restricts the calling thread. What is open stays usable.
pub(super) fn restrict() -> Result<RestrictionStatus, RulesetError> {
    let rules = Ruleset::default()
        .handle_access(AccessFs::from_all(TESTED))?
        .handle_access(AccessNet::from_all(TESTED))?
        .scope(Scope::from_all(TESTED))?
        .create()?;
    let rules = match PathFd::new(CPUS) {
        Ok(cpus) => rules.add_rule(PathBeneath::new(cpus, AccessFs::ReadFile))?,
        Err(_) => rules,
    };
    rules.restrict_self()
}

#[cfg(test)]
mod tests {
    use std::fs::File;

    use super::*;

    #[test]
    fn only_the_thread_without_files_opens_none() {
        let open = || File::open("/sys/kernel/btf/vmlinux").is_ok();
        assert!(!without_files(open));
        assert!(open());
    }
}
