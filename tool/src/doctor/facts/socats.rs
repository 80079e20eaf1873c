//! The socat processes of port-forwards on this node, and whether each is still in use.

use std::time::Duration;

use procfs::process::Process;

use super::inspector::{Answer, Inspector, Question};
use super::place::container_of;
use crate::host::socat::idle_time;

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

/// How many processes named socat are looked at: more than a node has forwards, but whoever may start
/// processes can start more.
const MAX_SOCATS: usize = 1024;

/// A running socat of a forward.
#[derive(Clone, Debug)]
pub struct Socat {
    /// The pid.
    pub pid: u32,
    /// The port that it connects to, inside its target.
    pub port: u16,
    /// It runs in a container on this node, and not for the node's own forwards.
    pub is_in_container: bool,
    /// Whether the process that spawned it has ended.
    pub is_orphan: bool,
    /// How long its connection has carried no data. `None` if the connection cannot be read.
    pub idle: Option<Duration>,
}

/// The socats of forwards that root runs on this node, in any network namespace. Other users can give
/// their processes any name and any arguments, and no kubelet starts a forward for them.
pub async fn socats(inspector: &mut Inspector) -> Vec<Socat> {
    let all = procfs::process::all_processes().into_iter().flatten().flatten();
    let named: Vec<Process> = all.filter(is_named_socat).take(MAX_SOCATS).collect();
    let mut found = Vec::new();
    for process in named {
        found.extend(socat(inspector, &process).await);
    }
    found
}

/// Asks only the kernel, which answers.
fn is_named_socat(process: &Process) -> bool {
    let Ok(stat) = process.stat() else { return false };
    // Debian's socat is a link to socat1, which has the name of the link.
    let is_socat = stat.comm.starts_with("socat")
        || process.exe().is_ok_and(|exe| {
            exe.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"socat"))
        });
    // A zombie holds no connection.
    is_socat && stat.state != 'Z' && process.status().is_ok_and(|status| status.ruid == 0)
}

async fn socat(inspector: &mut Inspector, process: &Process) -> Option<Socat> {
    let pid = u32::try_from(process.pid()).ok()?;
    let Ok(Answer::Socat(Some(port))) = inspector.ask(&Question::Socat { pid }).await else {
        return None;
    };
    let is_in_container = container_of(pid).is_some();
    let idle = if is_in_container { None } else { idle_time(pid, port).await.ok() };
    // Read the state last: this fails if the process has ended, and then the facts above may belong to
    // another process with the same pid.
    let stat = process.stat().ok().filter(|stat| stat.state != 'Z')?;
    Some(Socat { pid, port, is_in_container, is_orphan: is_orphan(stat.ppid), idle })
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
