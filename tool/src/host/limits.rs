//! Limits of resources: of this process, and of the node.

use std::fs;
use std::io;
use std::sync::Mutex;
use std::thread::Builder;

use rustix::event::{EventfdFlags, eventfd};
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

/// How many files a command that only looks opens, and a few more: the kernel programs and their maps are
/// most of them. tokio panics if it can open none for itself.
pub const FILES_TO_LOOK: usize = 56;

/// The same for a command that forwards, with a few connections.
pub const FILES_TO_FORWARD: usize = 80;

/// How many threads a command starts until it runs, and some more. tokio panics without its own.
const NEEDED_THREADS: usize = 8;

/// A thread that only waits needs hardly any stack.
const STACK_BYTES: usize = 64 * 1024;

/// Why a command cannot start.
#[derive(Debug, thiserror::Error)]
pub enum TooFew {
    /// The limit of this process (`ulimit -n`), or of the node.
    #[error(
        "cannot open {needed} files, which this command needs{}; raise the limit with `ulimit -n`",
        allowed(Resource::Nofile, "files may be open")
    )]
    Files {
        /// How many it needs.
        needed: usize,
        /// The error of the next one.
        source: io::Error,
    },
    /// The limit of this user (`ulimit -u`), or of its cgroup.
    #[error(
        "cannot start {NEEDED_THREADS} threads, which this command needs{}; raise the limit with `ulimit -u`, \
         or pids.max of the cgroup",
        allowed(Resource::Nproc, "threads may run as this user")
    )]
    Threads(#[source] io::Error),
}

/// ` (6 files may be open)`
fn allowed(resource: Resource, what: &str) -> String {
    let most = getrlimit(resource).current;
    most.map_or_else(String::new, |most| format!(" ({most} {what})"))
}

/// An error if this process cannot open so many files, or start as many threads as any command needs.
pub fn check(files: usize) -> Result<(), TooFew> {
    open_files(files).map_err(|source| TooFew::Files { needed: files, source })?;
    start_threads(NEEDED_THREADS).map_err(TooFew::Threads)
}

fn open_files(count: usize) -> io::Result<()> {
    // A file that needs no file system: the root may be empty.
    let first = eventfd(0, EventfdFlags::CLOEXEC)?;
    (1..count).map(|_| first.try_clone()).collect::<io::Result<Vec<_>>>().map(drop)
}

fn start_threads(count: usize) -> io::Result<()> {
    let gate = Mutex::new(());
    std::thread::scope(|scope| {
        // All of them wait, so that they run at the same time.
        let closed = gate.lock();
        let start = || {
            let builder = Builder::new().stack_size(STACK_BYTES);
            builder.spawn_scoped(scope, || drop(gate.lock())).map(drop)
        };
        let started = (0..count).try_for_each(|_| start());
        drop(closed);
        started
    })
}

/// The memory of this node, in KiB.
#[must_use]
pub fn memory_kib() -> u64 {
    let info = rustix::system::sysinfo();
    // `mem_unit` is the unit in bytes (sysinfo(2)).
    info.totalram.saturating_mul(info.mem_unit.into()) / 1024
}

/// How many processes may run at the same time (proc(5)). If the node does not say, as many as its
/// kernel allows by default.
#[must_use]
pub fn max_processes() -> u32 {
    /// `PID_MAX_DEFAULT` (include/linux/threads.h).
    const DEFAULT: u32 = 32 * 1024;
    let number = |path: &str| fs::read_to_string(path).ok()?.trim().parse().ok();
    let limits = ["/proc/sys/kernel/pid_max", "/proc/sys/kernel/threads-max"].map(number);
    limits.into_iter().flatten().min().unwrap_or(DEFAULT)
}
