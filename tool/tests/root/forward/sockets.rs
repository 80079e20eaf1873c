//! The sockets of a forward: their options, and that no other process inherits them.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt as _;
use std::time::Duration;

use rustix::net::getpeername;
use rustix::net::sockopt;
use rustix::process::{Pid, PidfdFlags, PidfdGetfdFlags, pidfd_getfd, pidfd_open};

use crate::common::{eventually, pfsnoop};
use crate::support::forward::{forward, start_listening};
use crate::support::pod::DemoPod;
use crate::support::processes::child_of;

/// Duplicates of a process's TCP connections, with the addresses of their peers.
fn connections(pid: u32) -> Vec<(SocketAddr, OwnedFd)> {
    let process = Pid::from_raw(pid.cast_signed()).unwrap();
    let process = pidfd_open(process, PidfdFlags::empty()).unwrap();
    let files = (3..128).filter_map(|number| {
        let file = pidfd_getfd(&process, number, PidfdGetfdFlags::empty()).ok()?;
        Some((getpeername(&file).ok()??.try_into().ok()?, file))
    });
    files.collect()
}

/// Small writes go out at once, and a client that vanishes is noticed.
#[test]
fn sockets_have_nodelay_and_keepalive() {
    let pod = DemoPod::start();
    for dialer in ["native", "nsenter"] {
        let (forward, locals) = forward(pod.pause, &["--dialer", dialer, ":8080"]);
        let client = TcpStream::connect(("127.0.0.1", locals[0])).unwrap();
        let accepted = client.local_addr().unwrap();
        let pair = eventually("both connections", || {
            let mut all = connections(forward.pid());
            // The option is set as soon as socat is connected, before any data.
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

/// A helper that inherits a closed socket would take it for the end of an answer.
#[test]
fn helpers_do_not_inherit_files_that_pfsnoop_inherited() {
    let pod = DemoPod::start();
    let (ours, theirs) = UnixStream::pair().unwrap();
    ours.shutdown(std::net::Shutdown::Write).unwrap();
    let target = pod.target();
    let mut command = pfsnoop(&["forward", "--dialer", "nsenter", &target, ":7022"]);
    let number = theirs.as_raw_fd();
    // SAFETY: it makes one system call, on a descriptor that is open until the spawn is over.
    unsafe {
        command.pre_exec(move || {
            // The duplicate is inherited.
            if libc::dup2(number, 4) < 0 { Err(std::io::Error::last_os_error()) } else { Ok(()) }
        });
    }
    let (forward, local) = start_listening(&mut command);
    let slowly = "SYSTEM:for part in 0 1 2; do echo $part; sleep 0.8; done";
    let _server = pod.serve(7022, &["socat", "TCP4-LISTEN:7022,fork", slowly]);
    let mut client = TcpStream::connect(("127.0.0.1", local)).unwrap();
    client.write_all(b"?").unwrap();
    let mut answer = String::new();
    client.read_to_string(&mut answer).unwrap();
    assert_eq!(answer, "0\n1\n2\n");
    let _open = TcpStream::connect(("127.0.0.1", local)).unwrap();
    let link = format!("socket:[{}]", rustix::fs::fstat(&theirs).unwrap().st_ino);
    let files = eventually("socat's files", || {
        let socat = child_of(forward.pid(), "/usr/bin/socat")?;
        let files = std::fs::read_dir(format!("/proc/{socat}/fd")).ok()?.flatten();
        let files: Vec<_> = files.filter_map(|file| file.path().read_link().ok()).collect();
        (files.len() > 3).then_some(files)
    });
    assert!(!files.iter().any(|file| file.as_os_str() == &*link), "{files:?}");
}
