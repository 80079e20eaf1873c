//! The connections of running socats.

use std::collections::HashSet;
use std::io;
use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::time::Duration;

use rustix::io::Errno;
use rustix::net::sockopt::{socket_acceptconn, socket_type};
use rustix::net::{SocketType, getpeername, getsockname};
use rustix::process::{Pid, PidfdFlags, PidfdGetfdFlags, pidfd_getfd, pidfd_open};

use super::netns::{Netns, file_of};
use super::tcp;

/// The file descriptors among which socat's socket is searched. The socket gets the first number
/// that is free after socat's own files (5 in 1.7.4) and the files that socat inherited.
const DESCRIPTORS: std::ops::Range<i32> = 3..64;

/// At most this many files of a process are looked at.
const MAX_FILES: usize = 4096;

/// How long the connection of any socat to `port` has carried no data. The error is `NotFound` if it
/// has none. Nothing of the process is touched: its descriptors are read as names, and the kernel
/// lists the connections.
pub async fn idle_time(socat: u32, port: u16) -> io::Result<Duration> {
    let own = sockets_of(socat)?;
    let netns = Netns::open(&file_of(socat))?;
    let all = netns.connections_to(port).await?;
    let found = all.into_iter().find(|connection| own.contains(&connection.inode));
    found.map(|connection| connection.last_data).ok_or_else(|| io::ErrorKind::NotFound.into())
}

/// The inodes of a process's sockets.
fn sockets_of(pid: u32) -> io::Result<HashSet<u64>> {
    let files = std::fs::read_dir(format!("/proc/{pid}/fd"))?.flatten().take(MAX_FILES);
    Ok(files.filter_map(|file| socket_inode(&std::fs::read_link(file.path()).ok()?)).collect())
}

/// `socket:[INODE]` (proc(5)).
fn socket_inode(link: &std::path::Path) -> Option<u64> {
    link.to_str()?.strip_prefix("socket:[")?.strip_suffix(']')?.parse().ok()
}

/// A duplicate of the socket that connects this socat to `port`. The error is `NotFound` while
/// socat is not connected, and another one if its files cannot be duplicated, for example without
/// the right to ptrace(2).
///
/// Only for a socat that we have started: any other process may put a file in the place of a socket
/// meanwhile, and to close a duplicate of that may take for ever (FUSE).
pub fn connection_of(socat: Pid, port: u16) -> io::Result<OwnedFd> {
    find(socat, |file| is_connection_to(file, port))
}

/// A duplicate of socat's socket.
#[derive(Debug)]
pub enum SocatSocket {
    /// It is connected to the port.
    Connected(OwnedFd),
    /// It waits for the port's answer.
    Connecting(OwnedFd),
}

/// A duplicate of the socket that connects this socat to `port`, or is about to. `None` while socat has
/// none.
pub fn socket_of(socat: Pid, port: u16) -> io::Result<Option<SocatSocket>> {
    let mut connecting = None;
    let connected = find(socat, |file| {
        if is_connecting(file) {
            // socat tries one address after the other.
            connecting = file.try_clone().ok();
        }
        is_connection_to(file, port)
    });
    match connected {
        Ok(socket) => Ok(Some(SocatSocket::Connected(socket))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            Ok(connecting.map(SocatSocket::Connecting))
        }
        Err(error) => Err(error),
    }
}

/// A duplicate of the socket with which this socat tries to connect. The error is `NotFound` if it
/// has none. Only for a socat that we have started.
pub fn connecting_of(socat: Pid) -> io::Result<OwnedFd> {
    find(socat, is_connecting)
}

/// Whether it has sent a SYN that is not answered.
fn is_connecting(file: &OwnedFd) -> bool {
    let is_bound = getsockname(file)
        .is_ok_and(|own| SocketAddr::try_from(own).is_ok_and(|own| own.port() != 0));
    // Until the answer, the socket has no peer (inet_getname, net/ipv4/af_inet.c).
    let is_open = peer_of(file) != Err(Errno::NOTCONN) || socket_acceptconn(file) != Ok(false);
    is_bound && !is_open
}

/// Duplicates the first TCP socket of socat that fits. What is no socket is left alone.
fn find(socat: Pid, mut is_it: impl FnMut(&OwnedFd) -> bool) -> io::Result<OwnedFd> {
    let process = pidfd_open(socat, PidfdFlags::empty())?;
    for number in DESCRIPTORS {
        let link = format!("/proc/{}/fd/{number}", socat.as_raw_nonzero());
        match std::fs::read_link(link) {
            Ok(link) if socket_inode(&link).is_none() => continue,
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            // pidfd_getfd(2) has the better error.
            _ => {}
        }
        match pidfd_getfd(&process, number, PidfdGetfdFlags::empty()) {
            Ok(file) if socket_type(&file) == Ok(SocketType::STREAM) && is_it(&file) => {
                return Ok(file);
            }
            Ok(_) | Err(Errno::BADF) => {}
            Err(errno) => return Err(errno.into()),
        }
    }
    Err(io::ErrorKind::NotFound.into())
}

/// Whether it is connected to the port, which tells it from other sockets that socat has inherited.
#[must_use]
pub fn is_connection_to(file: &OwnedFd, port: u16) -> bool {
    match peer_of(file) {
        // It may have been reset already.
        Err(Errno::NOTCONN) => tcp::info(file).is_ok_and(|info| info.was_connected),
        peer => peer.ok().flatten().is_some_and(|peer| peer.port() == port),
    }
}

/// The peer; `None` if it has no IP.
fn peer_of(file: &OwnedFd) -> Result<Option<SocketAddr>, Errno> {
    getpeername(file).map(|peer| SocketAddr::try_from(peer?).ok())
}

#[cfg(test)]
mod tests {
    use std::net::{TcpListener, TcpStream};
    use std::os::fd::AsRawFd as _;
    use std::os::unix::net::UnixStream;
    use std::os::unix::process::CommandExt as _;
    use std::process::Command;

    use super::*;

    #[test]
    fn finds_the_connection_to_the_port_among_other_sockets() {
        let servers = [(); 2].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
        let ports = servers.each_ref().map(|server| server.local_addr().unwrap().port());
        let [one, other] = ports.map(|port| TcpStream::connect(("127.0.0.1", port)).unwrap());
        let (unix, _peer) = UnixStream::pair().unwrap();
        let files = [unix.as_raw_fd(), one.as_raw_fd(), other.as_raw_fd()];
        let mut command = Command::new("sleep");
        // SAFETY: the closure makes only system calls, on descriptors that stay open until the
        // spawn is over.
        unsafe {
            command.pre_exec(move || {
                for file in files {
                    // A number that is free: a fixed one may be another of these files.
                    if libc::fcntl(file, libc::F_DUPFD, 10) < 0 {
                        return Err(io::Error::last_os_error());
                    }
                }
                Ok(())
            });
        }
        let mut child = command.arg("60").spawn().unwrap();
        let pid = Pid::from_raw(child.id().cast_signed()).unwrap();
        for port in ports {
            let found = connection_of(pid, port).map(|file| getpeername(&file).unwrap().unwrap());
            let peer = SocketAddr::try_from(found.unwrap()).unwrap();
            assert_eq!(peer.port(), port);
        }
        let nowhere = connection_of(pid, 1).unwrap_err();
        assert_eq!(nowhere.kind(), io::ErrorKind::NotFound);
        child.kill().unwrap();
        child.wait().unwrap();
    }
}
