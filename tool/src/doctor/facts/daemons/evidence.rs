//! What a running daemon shows about itself.

use std::path::Path;

use procfs::process::Process;

use crate::host::root::Root;

/// A running daemon's arguments and files, which decide how it forwards.
pub(super) struct Evidence<'a> {
    pub(super) process: &'a Process,
    /// Its arguments, with its name as the first.
    pub(super) args: &'a [String],
    /// The files that it sees; `None` if they cannot be read.
    pub(super) root: Option<&'a Root>,
}

impl Evidence<'_> {
    /// A small text file, by its path as the daemon sees it. A relative path begins at the folder
    /// in which the daemon runs.
    pub(super) fn read(&self, path: &str) -> Option<String> {
        let path = Path::new(path);
        if path.is_absolute() {
            return self.root?.read(path);
        }
        // The kernel names both folders from our root, also for a daemon in a chroot (proc(5)).
        let (cwd, root) = (self.process.cwd().ok()?, self.process.root().ok()?);
        let cwd = Path::new("/").join(cwd.strip_prefix(root).ok()?);
        self.root?.read(&cwd.join(path))
    }
}
