//! Notes on environment variables that a command ignores.

use crate::output;
use crate::runtime::Runtimes;

/// Prints a note for each variable that should name a container runtime but has an address that pfsnoop
/// cannot use. Each command that asks the runtimes calls this once.
pub(super) fn note_ignored(runtimes: &Runtimes) {
    for note in runtimes.ignored() {
        output::complain(&output::escaped(note.as_bytes()));
    }
}
