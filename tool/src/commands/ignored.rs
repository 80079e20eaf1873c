//! What of the environment a command ignores.

use crate::output;
use crate::runtime::Runtimes;

/// Says which variables would name a container runtime, and are ignored. To be called once by each
/// command that asks the runtimes.
pub(super) fn note_ignored(runtimes: &Runtimes) {
    for note in runtimes.ignored() {
        output::complain(&output::escaped(note.as_bytes()));
    }
}
