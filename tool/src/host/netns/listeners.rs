//! TCP sockets that listen in a network namespace.

use std::io;
use std::net::SocketAddr;

use procfs::net::{TcpNetEntry, TcpState};
use procfs::process::Process;
use rustix::thread::gettid;

/// The addresses on which processes listen in the calling thread's network namespace.
///
/// `/proc/net` shows the namespace of the process's first thread, so the thread's own file is read.
pub(super) fn listening_here() -> io::Result<Vec<SocketAddr>> {
    let thread = Process::new(gettid().as_raw_nonzero().get()).map_err(io::Error::other)?;
    let v4 = thread.tcp().map_err(io::Error::other)?;
    // A kernel without IPv6 has no such file.
    let v6 = thread.tcp6().unwrap_or_default();
    let is_listening = |entry: &TcpNetEntry| entry.state == TcpState::Listen;
    let all = v4.into_iter().chain(v6).filter(is_listening);
    let mut all: Vec<SocketAddr> = all.map(|entry| plain(entry.local_address)).collect();
    // Several sockets may share a port (SO_REUSEPORT).
    all.sort_unstable_by_key(|address| (address.port(), *address));
    all.dedup();
    Ok(all)
}

/// An IPv6 socket may listen on `::ffff:127.0.0.1`, as Java's sockets do. Its clients connect to
/// `127.0.0.1`.
fn plain(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip().to_canonical(), address.port())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_listening_sockets_and_no_connected_ones() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let client = std::net::TcpStream::connect(address).unwrap();
        let all = std::thread::spawn(listening_here).join().unwrap().unwrap();
        assert!(all.contains(&address), "{address} in {all:?}");
        assert!(!all.contains(&client.local_addr().unwrap()));
        drop(listener);
        assert!(!listening_here().unwrap().contains(&address));
    }
}
