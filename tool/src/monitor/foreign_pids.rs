//! pfsnoop in a pid namespace of its own, for example in a container without the node's pids.

use std::sync::Once;

use crate::host::process;
use crate::output::complain;

static NOTED: Once = Once::new();

/// Says once what is missing where our pids, or those in /proc, are not the kernel's.
pub(super) fn note() {
    if process::foreign_namespace().is_none() && process::proc_has_kernel_pids() {
        return;
    }
    NOTED.call_once(|| {
        complain(
            "note: pfsnoop runs in a pid namespace of its own: the pids that it shows are the node's, \
             -P takes a pid of this namespace, and containers may be missing; run pfsnoop in the node's \
             pid namespace (`hostPID: true`, `docker run --pid=host`)",
        );
    });
}
