//! Facts about processes from /proc.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use procfs::process::{Process, Stat};
use rustix::fs::OFlags;

use super::error::ProcessError;
use super::pid_space::{proc_has_kernel_pids, shows_pids_of};
use crate::host::{clock, proc_files};
use crate::model::{NamedProcess, ProcessId};

const NS_PER_SECOND: u64 = 1_000_000_000;

/// The folder of a process in /proc. Whatever is read through it is of that process: once it has ended,
/// nothing can be read, even if another process has its pid by then.
#[derive(Debug)]
pub struct ProcessFacts {
    process: Process,
    stat: Stat,
}

impl ProcessFacts {
    /// The process of a kernel record, if it is still there. This is the only way from a pid and a start
    /// to facts in /proc. Start times in /proc are in hundredths of a second; no pid is used twice in such
    /// a short time, unless a process chooses it (clone3(2), `set_tid`).
    #[must_use]
    pub fn of(process: ProcessId) -> Option<Self> {
        let ProcessId { pid, start_ns } = process;
        let is_known = proc_has_kernel_pids() && start_ns != 0;
        let facts = is_known.then(|| Self::now(pid))??;
        (facts.start() == ticks(start_ns)).then_some(facts)
    }

    /// The process that had this name at that time, if it still has it.
    #[must_use]
    pub fn named(name: NamedProcess) -> Option<Self> {
        let NamedProcess { pid, pidns, time_ns } = name;
        let facts = shows_pids_of(pidns).then(|| Self::now(pid))??;
        // A process that started later was not meant.
        facts.is_older_than(time_ns).then_some(facts)
    }

    /// The process that has the pid in /proc now.
    #[must_use]
    pub fn now(pid: u32) -> Option<Self> {
        let process = Process::new(i32::try_from(pid).ok()?).ok()?;
        let stat = process.stat().ok()?;
        Some(Self { process, stat })
    }

    /// Its folder.
    pub(super) fn process(&self) -> &Process {
        &self.process
    }

    /// Its pid in /proc.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.process.pid().unsigned_abs()
    }

    /// When it started, in clock ticks as /proc has them.
    #[must_use]
    pub fn start(&self) -> u64 {
        self.stat.starttime
    }

    /// Whether it had started at that time of `CLOCK_BOOTTIME`.
    #[must_use]
    pub fn is_older_than(&self, time_ns: u64) -> bool {
        self.start() <= ticks(time_ns)
    }

    /// Inode of its network namespace; `None` if it has ended.
    #[must_use]
    pub fn netns(&self) -> Option<u64> {
        let namespace = proc_files::open(&self.process, "ns/net", OFlags::PATH).ok()?;
        rustix::fs::fstat(namespace).ok().map(|stat| stat.st_ino)
    }

    /// Its comm. At most 15 bytes, which the process chooses itself.
    #[must_use]
    pub fn comm(&self) -> Option<Box<[u8]>> {
        let comm = self.read("comm", 64)?;
        Some(comm.strip_suffix(b"\n").unwrap_or(&comm).into())
    }

    /// The beginning of a file of its folder.
    #[must_use]
    pub fn read(&self, name: &str, max_len: u64) -> Option<Vec<u8>> {
        let mut bytes = Vec::new();
        let file = File::from(proc_files::open(&self.process, name, OFlags::RDONLY).ok()?);
        file.take(max_len).read_to_end(&mut bytes).ok()?;
        Some(bytes)
    }
}

/// A time of the kernel's records in clock ticks, as /proc/PID/stat shows it.
fn ticks(boottime_ns: u64) -> u64 {
    clock::in_proc(boottime_ns) / (NS_PER_SECOND / procfs::ticks_per_second())
}

/// Whether this process still runs. A process that cannot be read counts as running.
#[must_use]
pub fn is_running(process: ProcessId) -> bool {
    use procfs::ProcError;
    if !proc_has_kernel_pids() {
        return true;
    }
    let ProcessId { pid, start_ns } = process;
    let found = i32::try_from(pid).map(Process::new);
    let stat = match found.map(|process| process.and_then(|process| process.stat())) {
        Ok(Ok(stat)) => stat,
        Ok(Err(ProcError::NotFound(_))) | Err(_) => return false,
        Ok(Err(_)) => return true,
    };
    let is_it = start_ns == 0 || stat.starttime == ticks(start_ns);
    // A process that waits to be reaped has ended.
    is_it && !matches!(stat.state, 'Z' | 'X')
}

/// Inode of the network namespace of a process that has this pid for certain: it is our child, or held
/// by a [`ProcessHandle`](super::ProcessHandle).
pub fn netns_of(pid: u32) -> Result<u64, ProcessError> {
    use std::os::unix::fs::MetadataExt as _;
    let process = Path::new("/proc").join(pid.to_string());
    match std::fs::metadata(process.join("ns/net")) {
        Ok(namespace) => Ok(namespace.ino()),
        // A process that has ended but was not reaped has no namespaces left.
        Err(error) if error.kind() == io::ErrorKind::NotFound && process.exists() => {
            Err(ProcessError::Gone(pid))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Err(ProcessError::NotFound(pid)),
        Err(source) => Err(ProcessError::Unreadable { pid, source }),
    }
}

/// When a process started, in clock ticks since boot; also for a process that waits to be reaped.
#[must_use]
pub fn start_of(pid: u32) -> Option<u64> {
    ProcessFacts::now(pid).map(|facts| facts.start())
}

/// Every process in that network namespace. Processes that cannot be read are left out.
pub fn processes_in_netns(netns: u64) -> impl Iterator<Item = ProcessFacts> {
    all_processes().filter(move |facts| facts.netns() == Some(netns))
}

/// Every process, by its pid in /proc, and its network namespace. Processes that cannot be read are
/// left out.
pub fn processes_and_netns() -> impl Iterator<Item = (u32, u64)> {
    all_processes().filter_map(|facts| Some((facts.pid(), facts.netns()?)))
}

pub(super) fn all_processes() -> impl Iterator<Item = ProcessFacts> {
    procfs::process::all_processes().into_iter().flatten().filter_map(|process| {
        let process = process.ok()?;
        let stat = process.stat().ok()?;
        Some(ProcessFacts { process, stat })
    })
}
