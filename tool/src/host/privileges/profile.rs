//! What the threads of this process keep.

use std::io;
use std::sync::OnceLock;

use landlock::RulesetStatus;
use rustix::thread::{CapabilitySet, capabilities, set_no_new_privs};

use super::capabilities::{PassOn, keep};
use super::entering;
use super::needs::Needs;
use super::sandbox;

/// What ordinary threads keep.
struct Profile {
    capabilities: CapabilitySet,
    is_sandboxed: bool,
}

static PROFILE: OnceLock<Profile> = OnceLock::new();

/// Sets what this process will keep. From here on, no program that it starts gains privileges, not even
/// one with the setuid bit (`PR_SET_NO_NEW_PRIVS`, prctl(2)). Must be called before the first thread
/// starts: threads inherit it.
pub fn begin(needs: &Needs) -> io::Result<()> {
    set_no_new_privs(true)?;
    let has = capabilities(None)?.permitted;
    let profile = Profile { capabilities: needs.ordinary(has), is_sandboxed: needs.no_files };
    // A process runs one command.
    let _ = PROFILE.set(profile);
    if needs.entering { entering::start(needs.entering(has)) } else { Ok(()) }
}

/// Gives up what the calling thread does not need once the command is set up. Every ordinary thread calls
/// it at its start, and the first thread once it has attached the kernel programs and bound the ports.
pub fn settle_thread() {
    let Some(profile) = PROFILE.get() else { return };
    note(keep(profile.capabilities, PassOn::No));
    if profile.is_sandboxed {
        match sandbox::restrict() {
            Ok(status) if status.ruleset == RulesetStatus::NotEnforced => {
                log::debug!("this kernel has no Landlock");
            }
            Ok(_) => {}
            Err(error) => log::warn!("cannot restrict this thread by Landlock: {error}"),
        }
    }
}

/// Gives up every capability of the calling thread.
pub fn give_up_all() {
    note(keep(CapabilitySet::empty(), PassOn::No));
}

/// The same for a child process between fork and exec, whose program is then not run with them either
/// (`PR_SET_NO_NEW_PRIVS`). Makes system calls, and neither allocates nor locks.
pub fn give_up_all_before_exec() -> io::Result<()> {
    keep(CapabilitySet::empty(), PassOn::No)
}

fn note(kept: io::Result<()>) {
    if let Err(error) = kept {
        log::warn!("cannot give up capabilities: {error}");
    }
}
