//! A running daemon: how it forwards, where it looks for programs, and its open files.

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};

use procfs::process::{LimitValue, Process};

use super::evidence::Evidence;
use super::mode;
use crate::host::proc_files::strings;
use crate::host::root::Root;
use crate::model::ForwardingMode;

/// A running daemon that may carry out port-forwards.
#[derive(Debug)]
pub struct Daemon {
    /// The pid.
    pub pid: u32,
    /// The comm: one of the names in the table of daemons.
    pub name: String,
    /// How it carries out a port-forward.
    pub mode: ForwardingMode,
    /// It runs in our pid namespace, and not in a container on this node.
    pub is_of_node: bool,
    /// Where it looks for programs. An error if its environment or files cannot be read.
    pub search: io::Result<ProgramSearch>,
    /// Its open files and their limits, if they can be read.
    pub open_files: Option<OpenFiles>,
}

/// Where a daemon looks for programs.
#[derive(Debug)]
pub struct ProgramSearch {
    /// Its `PATH`, if it has one.
    pub path: Option<OsString>,
    /// The file system that it sees.
    pub root: Root,
}

/// How many files a daemon has open, and how many it may have.
#[derive(Clone, Copy, Debug)]
pub struct OpenFiles {
    /// How many are open.
    pub open: u64,
    /// The soft limit: the limit in force.
    pub soft: u64,
    /// The hard limit, up to which the daemon may raise the soft limit. `None` if unlimited.
    pub hard: Option<u64>,
}

/// Every such daemon that runs on this node.
#[must_use]
pub fn running() -> Vec<Daemon> {
    let all = procfs::process::all_processes().into_iter().flatten().flatten();
    all.filter_map(|process| daemon(&process)).collect()
}

/// The daemon that starts nsenter and socat for `kubectl port-forward`, if one runs. A kubelet
/// reaches Docker through cri-dockerd.
#[must_use]
pub fn spawner(daemons: &[Daemon]) -> Option<&Daemon> {
    let spawns = |daemon: &&Daemon| daemon.mode == ForwardingMode::Helpers && daemon.is_of_node;
    let mut spawners = daemons.iter().filter(spawns);
    let cri_dockerd = spawners.clone().find(|daemon| daemon.name == "cri-dockerd");
    cri_dockerd.or_else(|| spawners.next())
}

fn daemon(process: &Process) -> Option<Daemon> {
    let name = process.stat().ok()?.comm;
    if !mode::DAEMONS.iter().any(|daemon| daemon.name == name) {
        return None;
    }
    // Any user can name a process kubelet, so trust only processes of root. Read the user from
    // `status`: root owns /proc/PID of every process that is not dumpable (proc(5)).
    process.status().ok().filter(|status| (status.ruid, status.euid) == (0, 0))?;
    let search = search(process);
    let args = strings(process, "cmdline").unwrap_or_default();
    let args: Vec<String> =
        args.iter().map(|arg| String::from_utf8_lossy(arg.as_bytes()).into_owned()).collect();
    let root = search.as_ref().ok().map(|search| &search.root);
    let mode = mode::of(&name, &Evidence { process, args: &args, root });
    let open_files = open_files(process);
    let is_of_node = is_in_our_pid_namespace(process);
    let pid = u32::try_from(process.pid()).ok()?;
    // Check last that the process is alive. If it has ended, its pid may have been reused, so the
    // facts above may belong to another process.
    process.is_alive().then_some(Daemon { pid, name, mode, is_of_node, search, open_files })
}

/// A namespace that cannot be read counts as ours.
fn is_in_our_pid_namespace(process: &Process) -> bool {
    let of = |process: &Process| {
        let namespaces = process.namespaces().ok()?;
        namespaces.0.get(OsStr::new("pid")).map(|pid| pid.identifier)
    };
    let ours = Process::myself().ok().and_then(|own| of(&own));
    of(process).is_none_or(|theirs| Some(theirs) == ours)
}

fn search(process: &Process) -> io::Result<ProgramSearch> {
    let environment = strings(process, "environ")?;
    // If PATH occurs several times, the C library and Go take the first.
    let path = environment.iter().find_map(|entry| entry.as_bytes().strip_prefix(b"PATH="));
    let path = path.map(|path| OsString::from_vec(path.to_vec()));
    Ok(ProgramSearch { path, root: Root::of_process(process)? })
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
