//! Which capabilities and restrictions are in force, for the findings of the doctor.

use landlock::RulesetStatus;
use rustix::thread::{capabilities, no_new_privs};

use super::sandbox;

/// What is in force for the calling thread, and what the kernel offers.
#[derive(Clone, Debug)]
pub struct InForce {
    /// The capabilities that it still has.
    pub capabilities: Vec<String>,
    /// No program that it starts gains privileges.
    pub no_new_privs: bool,
    /// The kernel has Landlock, which `exec` uses.
    pub has_landlock: bool,
}

/// Reads what is in force for the calling thread.
#[must_use]
pub fn in_force() -> InForce {
    let kept = capabilities(None).map(|sets| sets.permitted);
    let names =
        kept.iter().flat_map(|kept| kept.iter_names().map(|(name, _)| format!("CAP_{name}")));
    InForce {
        capabilities: names.collect(),
        no_new_privs: no_new_privs().unwrap_or(false),
        has_landlock: has_landlock(),
    }
}

/// Tries it, in a thread that ends.
fn has_landlock() -> bool {
    std::thread::scope(|scope| {
        let trial = || sandbox::restrict().is_ok_and(|it| it.ruleset != RulesetStatus::NotEnforced);
        let thread = std::thread::Builder::new().spawn_scoped(scope, trial);
        thread.is_ok_and(|thread| thread.join().unwrap_or(false))
    })
}
