//! The socat processes of port-forwards on this node, and whether each is still in use.

use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::time::Duration;

use procfs::process::Process;
use rustix::process::Pid;

use crate::host::socat::connection_of;
use crate::model::{Arg, Args, Invocation, invocation};

/// Processes that adopt orphans, besides process 1.
const REAPERS: [&str; 8] = [
    "systemd",
    "init",
    "tini",
    "dumb-init",
    "catatonit",
    "docker-init",
    "s6-svscan",
    "containerd-shim",
];

/// A running socat of a forward.
#[derive(Clone, Debug)]
pub struct Socat {
    /// The pid.
    pub pid: u32,
    /// The port that it connects to, inside its target.
    pub port: u16,
    /// Whether the process that spawned it has ended.
    pub is_orphan: bool,
    /// How long its connection has carried no data. `None` if the connection cannot be read.
    pub idle: Option<Duration>,
}

/// Every socat of a forward that runs on this node, in any network namespace.
#[must_use]
pub fn socats() -> Vec<Socat> {
    let all = procfs::process::all_processes().into_iter().flatten().flatten();
    all.filter_map(|process| socat(&process)).collect()
}

fn socat(process: &Process) -> Option<Socat> {
    let words = process.cmdline().ok()?;
    let list = words.iter().map(|word| Arg::Text(word.as_bytes())).collect();
    let args = Args { list, ..Args::default() };
    let Invocation::Socat { port } = invocation(&args)? else { return None };
    let idle = idle(process.pid(), port).ok();
    // A zombie holds no connection. Read the state last: this fails if the process has ended, and
    // then the facts above may belong to another process with the same pid.
    let stat = process.stat().ok().filter(|stat| stat.state != 'Z')?;
    let pid = u32::try_from(process.pid()).ok()?;
    Some(Socat { pid, port, is_orphan: is_orphan(stat.ppid), idle })
}

fn is_orphan(ppid: i32) -> bool {
    // 0 is a parent outside this pid namespace.
    if ppid <= 1 {
        return ppid == 1;
    }
    let parent = Process::new(ppid).and_then(|parent| parent.stat());
    // The parent has just ended, so the process is an orphan by now.
    parent.map_or(true, |parent| REAPERS.iter().any(|name| parent.comm.starts_with(name)))
}

/// How long ago the connection last sent or received data (`tcp_info`, include/uapi/linux/tcp.h).
fn idle(pid: i32, port: u16) -> io::Result<Duration> {
    let pid = Pid::from_raw(pid).ok_or(io::ErrorKind::NotFound)?;
    let info = tcp_info(&connection_of(pid, port)?)?;
    let last = info.tcpi_last_data_sent.min(info.tcpi_last_data_recv);
    Ok(Duration::from_millis(last.into()))
}

fn tcp_info(socket: &OwnedFd) -> io::Result<libc::tcp_info> {
    let mut info = MaybeUninit::<libc::tcp_info>::zeroed();
    let mut len = libc::socklen_t::try_from(size_of::<libc::tcp_info>())
        .map_err(|_| io::ErrorKind::InvalidInput)?;
    // SAFETY: the kernel writes at most `len` bytes into a structure of that size.
    let result = unsafe {
        let to = info.as_mut_ptr().cast();
        libc::getsockopt(socket.as_raw_fd(), libc::IPPROTO_TCP, libc::TCP_INFO, to, &raw mut len)
    };
    if result != 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the structure has only integer fields, so any bytes are valid.
    Ok(unsafe { info.assume_init() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_child_of_a_reaper_is_an_orphan() {
        assert!(is_orphan(1) && is_orphan(i32::MAX));
        let own = i32::try_from(std::process::id()).unwrap();
        assert!(!is_orphan(0) && !is_orphan(own));
    }
}
