//! The sockets of a forward: how they are set, and that they are nobody else's.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt as _;
use std::time::Duration;

use rustix::net::getpeername;
use rustix::net::sockopt;
use rustix::process::{Pid, PidfdFlags, PidfdGetfdFlags, pidfd_getfd, pidfd_open};

use crate::forward::native::inside;
use crate::support::leftovers::processes;
use crate::support::{eventually, pfsnoop, pod::DemoPod, running::Running};

/// Duplicates of a process's TCP connections, with the address at their other end.
fn connections(pid: u32) -> Vec<(SocketAddr, OwnedFd)> {
    let process = Pid::from_raw(pid.cast_signed()).unwrap();
    let process = pidfd_open(process, PidfdFlags::empty()).unwrap();
    let files = (3..128).filter_map(|number| {
        let file = pidfd_getfd(&process, number, PidfdGetfdFlags::empty()).ok()?;
        Some((getpeername(&file).ok()??.try_into().ok()?, file))
    });
    files.collect()
}

fn start(dialer: &str, pod: &DemoPod, port: u16) -> (Running, u16) {
    let (target, ports) = (format!("pid/{}", pod.pause), format!(":{port}"));
    let mut forward =
        Running::start(&mut pfsnoop(&["forward", "--dialer", dialer, &target, &ports]));
    let line = forward.stdout_line("listener", |line| line.contains("127.0.0.1:"));
    (forward, line.split([':', ' ']).nth(3).unwrap().parse().unwrap())
}

/// Two small parts of a request, and of an answer, go out one after the other; and a client that
/// vanishes is noticed.
#[test]
fn nothing_is_held_back_and_clients_are_asked_whether_they_live() {
    let pod = DemoPod::start();
    for dialer in ["native", "nsenter"] {
        let (forward, local) = start(dialer, &pod, 8080);
        let client = TcpStream::connect(("127.0.0.1", local)).unwrap();
        let accepted = client.local_addr().unwrap();
        let pair = eventually("both connections", || {
            let mut all = connections(forward.pid());
            // As soon as socat is connected, before anything was said.
            all.retain(|(_, file)| sockopt::tcp_nodelay(file) == Ok(true));
            let of_client = all.iter().position(|(peer, _)| *peer == accepted)?;
            let (_, of_client) = all.swap_remove(of_client);
            all.iter().any(|(peer, _)| peer.port() == 8080).then_some(of_client)
        });
        assert_eq!(sockopt::socket_keepalive(&pair), Ok(true));
        let timings = (sockopt::tcp_keepidle(&pair), sockopt::tcp_keepintvl(&pair));
        assert_eq!(timings, (Ok(Duration::from_secs(15)), Ok(Duration::from_secs(15))));
    }
}

/// One that has ended looks like the end of an answer.
#[test]
fn files_that_pfsnoop_inherited_stay_its_own() {
    let pod = DemoPod::start();
    let (ours, theirs) = UnixStream::pair().unwrap();
    ours.shutdown(std::net::Shutdown::Write).unwrap();
    let target = format!("pid/{}", pod.pause);
    let mut command = pfsnoop(&["forward", "--dialer", "nsenter", &target, ":7022"]);
    let number = theirs.as_raw_fd();
    // SAFETY: it makes one system call, on a descriptor that is open until the spawn is over.
    unsafe {
        command.pre_exec(move || {
            // The duplicate is inherited.
            if libc::dup2(number, 4) < 0 { Err(std::io::Error::last_os_error()) } else { Ok(()) }
        });
    }
    let mut forward = Running::start(&mut command);
    let line = forward.stdout_line("listener", |line| line.contains("127.0.0.1:"));
    let local: u16 = line.split([':', ' ']).nth(3).unwrap().parse().unwrap();
    let slowly = "SYSTEM:for part in 0 1 2; do echo $part; sleep 0.8; done";
    let _server = Running::start(&mut inside(&pod, &["socat", "TCP4-LISTEN:7022,fork", slowly]));
    let answer = eventually("the server", || {
        let mut client = TcpStream::connect(("127.0.0.1", local)).unwrap();
        client.write_all(b"?").unwrap();
        let mut answer = String::new();
        client.read_to_string(&mut answer).ok()?;
        (!answer.is_empty()).then_some(answer)
    });
    assert_eq!(answer, "0\n1\n2\n");
    let _open = TcpStream::connect(("127.0.0.1", local)).unwrap();
    let link = format!("socket:[{}]", rustix::fs::fstat(&theirs).unwrap().st_ino);
    let files = eventually("socat's files", || {
        let socat = |(pid, ppid, line): (u32, u32, String)| {
            (ppid == forward.pid() && line.starts_with("/usr/bin/socat")).then_some(pid)
        };
        let socat = processes().into_iter().find_map(socat)?;
        let files = std::fs::read_dir(format!("/proc/{socat}/fd")).ok()?.flatten();
        let files: Vec<_> = files.filter_map(|file| file.path().read_link().ok()).collect();
        (files.len() > 3).then_some(files)
    });
    assert!(!files.iter().any(|file| file.as_os_str() == &*link), "{files:?}");
}
