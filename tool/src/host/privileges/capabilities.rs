//! The capabilities of the calling thread.

use std::io;

use rustix::io::Errno;
use rustix::thread::{
    CapabilitySet, CapabilitySets, capabilities, remove_capability_from_bounding_set,
    set_capabilities,
};

/// Whether the programs that a thread starts keep its capabilities.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum PassOn {
    /// As far as it had them to pass on itself (the ambient set, for a user other than root).
    Yes,
    No,
}

/// Gives up every capability of this thread but these. Those of the bounding set too, if the thread may
/// (CAP_SETPCAP): a program that root starts otherwise gets them all. With `no_new_privs`, it does not get
/// them in any case.
pub(super) fn keep(kept: CapabilitySet, pass_on: PassOn) -> io::Result<()> {
    for number in 0..u64::BITS {
        let one = CapabilitySet::from_bits_retain(1 << number);
        if kept.contains(one) {
            continue;
        }
        match remove_capability_from_bounding_set(one) {
            Ok(()) => {}
            // Without CAP_SETPCAP; or beyond the last capability that this kernel knows.
            Err(Errno::PERM | Errno::INVAL) => break,
            Err(error) => return Err(error.into()),
        }
    }
    let CapabilitySets { effective, permitted, inheritable } = capabilities(None)?;
    // The kernel removes from the ambient set what is not inheritable (`security_capset`,
    // security/commoncap.c).
    let inherited = if pass_on == PassOn::Yes { kept } else { CapabilitySet::empty() };
    set_capabilities(
        None,
        CapabilitySets {
            effective: effective & kept,
            permitted: permitted & kept,
            inheritable: inheritable & inherited,
        },
    )?;
    Ok(())
}
