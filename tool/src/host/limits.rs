//! Resource limits of this process.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Raises the limit of open files to the maximum that the administrator allows. The default is
/// smaller, for programs that use select(2).
pub fn raise_open_files() {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    if current != maximum {
        // If this fails, the forwarder works with fewer connections, and reports it when it can
        // accept no more.
        if let Err(error) = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }) {
            log::debug!("cannot raise the limit of open files from {current:?}: {error}");
        }
    }
}
