//! The kernel's buffers of a TCP socket (tcp(7), socket(7)).

use std::fs;
use std::io;
use std::os::fd::{AsFd, AsRawFd as _, BorrowedFd};
use std::sync::LazyLock;

use rustix::net::sockopt::{set_socket_recv_buffer_size, set_socket_send_buffer_size};

/// One of the two buffers of a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SocketBuffer {
    /// What has come, and was not read yet.
    Receive,
    /// What was written, and was not acknowledged yet.
    Send,
}

/// The most that the kernel gives to each buffer by itself, in KiB: the receive buffer and the send buffer.
static LARGEST_KIB: LazyLock<[u32; 2]> =
    LazyLock::new(|| ["tcp_rmem", "tcp_wmem"].map(|name| largest_kib(name).unwrap_or(DEFAULT_KIB)));

/// The largest limits that may be set without CAP_NET_ADMIN, in KiB (socket(7)).
static LARGEST_LIMIT_KIB: LazyLock<[u32; 2]> = LazyLock::new(|| {
    ["rmem_max", "wmem_max"].map(|name| largest_limit_kib(name).unwrap_or(DEFAULT_LIMIT_KIB))
});

/// `SK_WMEM_MAX` and `SK_RMEM_MAX` (include/net/sock.h), on most machines.
const DEFAULT_LIMIT_KIB: u32 = 416;

/// The kernel doubles the number that is set.
fn largest_limit_kib(name: &str) -> Option<u32> {
    let bytes = fs::read_to_string(format!("/proc/sys/net/core/{name}")).ok()?;
    u32::try_from(bytes.trim().parse::<u64>().ok()? / 1024 * 2).ok()
}

/// The default of both since Linux 2.6.17 on large machines (`tcp_init`, net/ipv4/tcp.c).
const DEFAULT_KIB: u32 = 6 * 1024;

/// The last of the three numbers: smallest, default, largest.
fn largest_kib(name: &str) -> Option<u32> {
    let all = fs::read_to_string(format!("/proc/sys/net/ipv4/{name}")).ok()?;
    let bytes: u64 = all.split_whitespace().nth(2)?.parse().ok()?;
    u32::try_from(bytes.div_ceil(1024)).ok()
}

/// include/uapi/asm-generic/socket.h
const SO_BUF_LOCK: libc::c_int = 72;

impl SocketBuffer {
    /// Limits the buffer to so many KiB. The kernel then leaves its size alone. The limit is of memory: of the
    /// data, about half as much fits. Sockets that a listener accepts inherit its limits.
    pub fn limit(self, socket: impl AsFd, kib: u32) -> io::Result<()> {
        // The kernel doubles the number (`__sock_set_rcvbuf`, net/core/sock.c).
        let bytes = bytes(kib)? / 2;
        match self {
            Self::Receive => Ok(set_socket_recv_buffer_size(socket, bytes)?),
            Self::Send => Ok(set_socket_send_buffer_size(socket, bytes)?),
        }
    }

    /// Raises the limit of a connection's buffer.
    pub fn raise_limit(self, socket: impl AsFd, kib: u32) -> io::Result<()> {
        self.limit(&socket, kib)?;
        if self == Self::Receive {
            // Without this, the window keeps the limit that it had (`__tcp_select_window`,
            // net/ipv4/tcp_output.c).
            set_int(socket.as_fd(), libc::IPPROTO_TCP, libc::TCP_WINDOW_CLAMP, bytes(kib)? / 2)?;
        }
        Ok(())
    }

    /// Has the kernel size the buffer again, by the speed and the length of the path. Before Linux 5.14 that is
    /// not possible, and the buffer keeps its limit.
    pub fn unlimit(self, socket: impl AsFd) -> io::Result<()> {
        // SOCK_SNDBUF_LOCK and SOCK_RCVBUF_LOCK (include/uapi/linux/socket.h).
        let bit = match self {
            Self::Send => 1,
            Self::Receive => 2,
        };
        let socket = socket.as_fd();
        let locked = get_int(socket, libc::SOL_SOCKET, SO_BUF_LOCK)?;
        set_int(socket, libc::SOL_SOCKET, SO_BUF_LOCK, usize::try_from(locked & !bit).unwrap_or(0))
    }

    /// The largest limit that may be set, in KiB.
    #[must_use]
    pub fn largest_limit_kib(self) -> u32 {
        let [receive, send] = *LARGEST_LIMIT_KIB;
        match self {
            Self::Receive => receive,
            Self::Send => send,
        }
    }

    /// The most that the kernel gives to such a buffer by itself, in KiB.
    #[must_use]
    pub fn largest_kib(self) -> u32 {
        let [receive, send] = *LARGEST_KIB;
        match self {
            Self::Receive => receive,
            Self::Send => send,
        }
    }
}

fn bytes(kib: u32) -> io::Result<usize> {
    Ok(usize::try_from(kib).map_err(io::Error::other)? * 1024)
}

fn set_int(socket: BorrowedFd, level: libc::c_int, name: libc::c_int, to: usize) -> io::Result<()> {
    let value = libc::c_int::try_from(to).map_err(io::Error::other)?;
    // SAFETY: the call reads a number of that size.
    let done = unsafe {
        libc::setsockopt(socket.as_raw_fd(), level, name, (&raw const value).cast(), INT_LEN)
    };
    if done < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

fn get_int(socket: BorrowedFd, level: libc::c_int, name: libc::c_int) -> io::Result<libc::c_int> {
    let (mut value, mut len): (libc::c_int, _) = (0, INT_LEN);
    // SAFETY: the call writes at most `len` bytes to the number.
    let done = unsafe {
        libc::getsockopt(socket.as_raw_fd(), level, name, (&raw mut value).cast(), &raw mut len)
    };
    if done < 0 { Err(io::Error::last_os_error()) } else { Ok(value) }
}

/// The size of a number in bytes.
#[expect(clippy::cast_possible_truncation, reason = "it is 4")]
const INT_LEN: libc::socklen_t = size_of::<libc::c_int>() as libc::socklen_t;

#[cfg(test)]
mod tests {
    use std::net::{TcpListener, TcpStream};

    use rustix::net::sockopt::{socket_recv_buffer_size, socket_send_buffer_size};

    use super::*;

    #[test]
    fn a_buffer_has_its_limit_until_the_kernel_sizes_it_again() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        SocketBuffer::Receive.limit(&client, 128).unwrap();
        SocketBuffer::Send.limit(&client, 32).unwrap();
        assert_eq!(socket_recv_buffer_size(&client).unwrap(), 128 * 1024);
        assert_eq!(socket_send_buffer_size(&client).unwrap(), 32 * 1024);
        let locked = || get_int(client.as_fd(), libc::SOL_SOCKET, SO_BUF_LOCK).unwrap();
        assert_eq!(locked(), 3);
        SocketBuffer::Send.unlimit(&client).unwrap();
        assert_eq!(locked(), 2);
        SocketBuffer::Receive.unlimit(&client).unwrap();
        assert_eq!(locked(), 0);
        assert!(SocketBuffer::Receive.largest_kib() >= 128);
    }
}
