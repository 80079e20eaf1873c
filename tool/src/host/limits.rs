//! What this process may have.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Lets this process open as many files as the administrator allows, and not the smaller number
/// that is kept for programs that use select(2).
pub fn raise_open_files() {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    if current != maximum {
        // Refused, the forwarder works with fewer connections and says when one is one too many.
        if let Err(error) = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }) {
            log::debug!("the limit of open files stays at {current:?}: {error}");
        }
    }
}
