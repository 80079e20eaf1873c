//! The processes of this machine, and what a program may have left behind.

use rustix::process::{Pid, Signal, kill_process};

use crate::common::{eventually, text};

/// Pid, parent's pid and command line of every process.
pub fn processes() -> Vec<(u32, u32, String)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir("/proc").unwrap().flatten() {
        let Ok(pid) = entry.file_name().to_string_lossy().parse::<u32>() else {
            continue;
        };
        let Ok(stat) = std::fs::read_to_string(entry.path().join("stat")) else {
            continue;
        };
        let cmdline = std::fs::read(entry.path().join("cmdline")).unwrap_or_default();
        // Fields after the comm, which may hold anything: state, then ppid.
        let ppid = stat.rsplit(')').next().unwrap().split_whitespace().nth(1).unwrap();
        found.push((pid, ppid.parse().unwrap(), text(&cmdline).replace('\0', " ")));
    }
    found
}

/// The first process with this parent whose command line starts with `start`.
pub fn child_of(parent: u32, start: &str) -> Option<u32> {
    let is_it = |(_, ppid, line): &(u32, u32, String)| *ppid == parent && line.starts_with(start);
    processes().into_iter().find(is_it).map(|(pid, ..)| pid)
}

/// Sends a signal to a process.
pub fn signal(pid: u32, signal: Signal) {
    kill_process(Pid::from_raw(pid.cast_signed()).unwrap(), signal).unwrap();
}

/// Stops a process, until it gets SIGCONT. Returns once each of its threads is stopped.
pub fn stop(pid: u32) {
    signal(pid, Signal::STOP);
    let is_stopped = |thread: std::io::Result<std::fs::DirEntry>| {
        let stat = std::fs::read_to_string(thread.unwrap().path().join("stat")).unwrap();
        stat.rsplit(')').next().unwrap().starts_with(" T ")
    };
    eventually("it is stopped", || {
        let mut threads = std::fs::read_dir(format!("/proc/{pid}/task")).unwrap();
        threads.all(is_stopped).then_some(())
    });
}

/// The command lines of a process's children.
pub fn children_of(parent: u32) -> Vec<String> {
    let own = processes().into_iter().filter(|&(_, ppid, _)| ppid == parent);
    own.map(|(_, _, cmdline)| cmdline).collect()
}

/// Waits until no process has `part` in its command line.
pub fn assert_no_process_with(part: &str) {
    let clean = || {
        let left: Vec<_> =
            processes().into_iter().filter(|(.., line)| line.contains(part)).collect();
        left.is_empty().then_some(())
    };
    eventually(&format!("no process with {part:?}"), clean);
}

/// Waits until no process is in the network namespace with that inode.
pub fn assert_no_netns(inode: u64) {
    let is_empty = || {
        let name = format!("net:[{inode}]");
        let held = |pid: u32| {
            std::fs::read_link(format!("/proc/{pid}/ns/net"))
                .is_ok_and(|link| link.to_string_lossy() == name)
        };
        (!processes().iter().any(|&(pid, ..)| held(pid))).then_some(())
    };
    eventually("the network namespace is gone", is_empty);
}

/// A field of /proc/PID/status with a mask in hexadecimal: `SigCgt:`, `CapPrm:`.
pub fn mask(process: &str, field: &str) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let value = status.lines().find_map(|line| line.strip_prefix(field)).unwrap();
    u64::from_str_radix(value.trim(), 16).unwrap()
}

/// Whether the signal is in such a mask of signals.
pub fn has_signal(process: u32, field: &str, signal: Signal) -> bool {
    mask(&process.to_string(), field) >> (signal.as_raw() - 1) & 1 == 1
}

/// How long the CPUs have worked for a process.
pub fn cpu_time(pid: u32) -> std::time::Duration {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let mut fields = stat.rsplit(')').next().unwrap().split_whitespace().skip(11);
    let mut ticks = || fields.next().unwrap().parse::<u64>().unwrap();
    let (user, system) = (ticks(), ticks());
    std::time::Duration::from_millis(1000 / procfs::ticks_per_second() * (user + system))
}

/// The sizes of a process's pipes, in bytes. Each pipe counts once.
pub fn pipe_sizes(pid: u32) -> Vec<usize> {
    let fds = std::fs::read_dir(format!("/proc/{pid}/fd")).unwrap().map(|fd| fd.unwrap().path());
    let mut pipes: Vec<_> = fds
        .filter_map(|fd| Some((std::fs::read_link(&fd).ok()?, fd)))
        .filter(|(to, _)| to.to_string_lossy().starts_with("pipe:"))
        .collect();
    pipes.sort();
    pipes.dedup_by(|(one, _), (other, _)| one == other);
    let open = |fd: &std::path::Path| std::fs::File::options().read(true).write(true).open(fd);
    let sizes = pipes.iter().map(|(_, fd)| rustix::pipe::fcntl_getpipe_size(open(fd).unwrap()));
    sizes.map(Result::unwrap).collect()
}
