//! Whether a process finds nsenter and socat in its `PATH`.

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::distribution::Packages;
use super::hosts::{self, Hosts};
use crate::host::root::Root;

/// The folders in which distributions install nsenter and socat.
pub const USUAL_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// The programs that a forward needs.
pub const PROGRAMS: [&str; 2] = ["socat", "nsenter"];

/// Where a process looks for programs, and what it finds.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ProgramSearch {
    /// Its `PATH`, if it has one.
    pub path: Option<OsString>,
    /// Whether pfsnoop sees the same files.
    pub has_our_files: bool,
    /// The package manager of the system that its files belong to.
    pub packages: Packages,
    /// The addresses of `localhost` in its `/etc/hosts`.
    pub hosts: Hosts,
    socat: Found,
    nsenter: Found,
}

/// What a process finds under the name of a program.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Found {
    /// The file; `None` if there is none.
    pub file: Option<PathBuf>,
    /// Whether the program is in one of the usual folders.
    pub is_installed: bool,
}

impl ProgramSearch {
    /// What a process with this `PATH` and these files finds.
    #[must_use]
    pub fn of(path: Option<OsString>, root: &Root) -> Self {
        let [socat, nsenter] = PROGRAMS.map(|program| Found {
            file: path.as_deref().and_then(|path| root.look_up(program, path)),
            is_installed: root.look_up(program, OsStr::new(USUAL_PATH)).is_some(),
        });
        Self {
            has_our_files: root.is_ours(),
            packages: Packages::of(root),
            hosts: hosts::localhost(root),
            path,
            socat,
            nsenter,
        }
    }

    /// What it finds under the name of one of the [`PROGRAMS`].
    #[must_use]
    pub fn found(&self, program: &str) -> &Found {
        if program == "socat" { &self.socat } else { &self.nsenter }
    }
}
