//! A daemon: where it looks for programs, and what it does with a port-forward.

use std::ffi::OsString;
use std::io;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};

use procfs::process::{LimitValue, Process};

use super::mode;
use crate::host::proc_files::strings;
use crate::host::root::Root;
use crate::model::ForwardingMode;

/// A running daemon.
#[derive(Debug)]
pub struct Daemon {
    /// Its pid.
    pub pid: u32,
    /// Its comm, which is one of a few.
    pub name: String,
    /// What it does with a port-forward.
    pub mode: ForwardingMode,
    /// Where it looks for programs; an error where that may not be read.
    pub search: io::Result<ProgramSearch>,
    /// Files that it has open, and how many it may have.
    pub open_files: Option<OpenFiles>,
}

/// Where a daemon looks for programs.
#[derive(Debug)]
pub struct ProgramSearch {
    /// Its `PATH`, where it has one.
    pub path: Option<OsString>,
    /// The files that it sees.
    pub root: Root,
}

/// How many files a daemon has open, and may have.
#[derive(Clone, Copy, Debug)]
pub struct OpenFiles {
    /// That are open.
    pub open: u64,
    /// The limit that holds.
    pub soft: u64,
    /// As far as the daemon may raise it by itself; `None` without an end.
    pub hard: Option<u64>,
}

/// All that run here.
#[must_use]
pub fn running() -> Vec<Daemon> {
    let all = procfs::process::all_processes().into_iter().flatten().flatten();
    all.filter_map(|process| daemon(&process)).collect()
}

fn daemon(process: &Process) -> Option<Daemon> {
    let name = process.stat().ok()?.comm;
    if !mode::DAEMONS.iter().any(|daemon| daemon.name == name) {
        return None;
    }
    // Anybody may call a process of his kubelet; it is root's PATH that is believed. (The owner of
    // /proc/PID does not tell: it is root's for whatever may not be dumped.)
    process.status().ok().filter(|status| (status.ruid, status.euid) == (0, 0))?;
    let search = search(process);
    let args = strings(process, "cmdline").unwrap_or_default();
    let args: Vec<String> =
        args.iter().map(|arg| String::from_utf8_lossy(arg.as_bytes()).into_owned()).collect();
    let mode = mode::of(&name, &args, search.as_ref().ok().map(|search| &search.root));
    let open_files = open_files(process);
    let pid = u32::try_from(process.pid()).ok()?;
    // One that has ended, and may wait to be reaped, forwards nothing: and nothing of the above is
    // to be believed of it.
    process.is_alive().then_some(Daemon { pid, name, mode, search, open_files })
}

fn search(process: &Process) -> io::Result<ProgramSearch> {
    let environment = strings(process, "environ")?;
    // Of several, the C library and Go take the first.
    let path = environment.iter().find_map(|one| one.as_bytes().strip_prefix(b"PATH="));
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
