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
