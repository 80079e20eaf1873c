//! A running daemon: where it runs, how it forwards, where it looks for programs, and its open files.

use std::ffi::OsString;
use std::io;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};

use procfs::process::{LimitValue, Process};
use serde::{Deserialize, Serialize};

use super::evidence::Evidence;
use super::mode;
use crate::doctor::facts::place::{Place, place};
use crate::doctor::facts::programs::ProgramSearch;
use crate::host::proc_files::strings;
use crate::host::root::Root;
use crate::model::ForwardingMode;

/// A running process that has the name of a daemon that may carry out port-forwards.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Daemon {
    /// The pid.
    pub pid: u32,
    /// The comm: one of the names in the table of daemons.
    pub name: String,
    /// Where it runs.
    pub place: Place,
    /// How it carries out a port-forward.
    pub mode: ForwardingMode,
    /// Where it looks for programs. An error if its environment or files cannot be read.
    pub search: Result<ProgramSearch, String>,
    /// Its open files and their limits, if they can be read.
    pub open_files: Option<OpenFiles>,
}

/// How many files a daemon has open, and how many it may have.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct OpenFiles {
    /// How many are open.
    pub open: u64,
    /// The soft limit: the limit in force.
    pub soft: u64,
    /// The hard limit, up to which the daemon may raise the soft limit. `None` if unlimited.
    pub hard: Option<u64>,
}

impl Daemon {
    /// Reads what this process shows. `None` if it has ended, or has another name by now. This may
    /// wait for ever: the process decides what its files are.
    pub(in crate::doctor::facts) fn read(pid: u32, name: &str) -> Option<Self> {
        let process = Process::new(i32::try_from(pid).ok()?).ok()?;
        (process.stat().ok()?.comm == name).then_some(())?;
        let root = Root::of_process(&process);
        let place = place(&process, &root);
        let args = strings(&process, "cmdline").unwrap_or_default();
        let args: Vec<String> =
            args.iter().map(|arg| String::from_utf8_lossy(arg.as_bytes()).into_owned()).collect();
        let evidence = Evidence { process: &process, args: &args, root: root.as_ref().ok() };
        let mode = mode::of(name, &evidence);
        let search = search(&process, root).map_err(|error| error.to_string());
        let open_files = open_files(&process);
        // Check last that the process is alive. If it has ended, its pid may have been reused, so the
        // facts above may belong to another process.
        let name = name.to_owned();
        process.is_alive().then_some(Self { pid, name, place, mode, search, open_files })
    }

    /// A daemon that does not let its files be read in time.
    pub(in crate::doctor::facts) fn silent(pid: u32, name: &str, place: Place, why: &str) -> Self {
        let search = Err(why.to_owned());
        let mode = ForwardingMode::Helpers;
        Self { pid, name: name.to_owned(), place, mode, search, open_files: None }
    }
}

/// The daemon of the node that starts nsenter and socat for `kubectl port-forward`, if one runs. A
/// kubelet reaches Docker through cri-dockerd.
#[must_use]
pub fn spawner(daemons: &[Daemon]) -> Option<&Daemon> {
    let spawns =
        |daemon: &&Daemon| daemon.mode == ForwardingMode::Helpers && daemon.place.is_of_node();
    let mut spawners = daemons.iter().filter(spawns);
    let cri_dockerd = spawners.clone().find(|daemon| daemon.name == "cri-dockerd");
    cri_dockerd.or_else(|| spawners.next())
}

fn search(process: &Process, root: io::Result<Root>) -> io::Result<ProgramSearch> {
    let environment = strings(process, "environ")?;
    // If PATH occurs several times, the C library and Go take the first.
    let path = environment.iter().find_map(|entry| entry.as_bytes().strip_prefix(b"PATH="));
    let path = path.map(|path| OsString::from_vec(path.to_vec()));
    Ok(ProgramSearch::of(path, &root?))
}

fn open_files(process: &Process) -> Option<OpenFiles> {
    let open = process.fd_count().ok()? as u64;
    let limit = process.limits().ok()?.max_open_files;
    let number = |limit| match limit {
        LimitValue::Value(number) => Some(number),
        LimitValue::Unlimited => None,
    };
    Some(OpenFiles { open, soft: number(limit.soft_limit)?, hard: number(limit.hard_limit) })
}
