//! What the kernel knows about a TCP connection (tcp(7), `TCP_INFO`).

use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, AsRawFd as _};
use std::time::Duration;

/// A part of the kernel's `struct tcp_info` (include/uapi/linux/tcp.h).
#[derive(Clone, Copy, Debug)]
pub struct TcpInfo {
    /// How far the two sides have ended the connection.
    pub ends: TcpEnds,
    /// The connection was established at some time. (A reset in answer to the SYN is one segment.)
    pub was_connected: bool,
    /// How many bytes of data have come, if the peer's FIN has come: `tcp_rcv_nxt_update`
    /// (net/ipv4/tcp_input.c) counts the FIN too. Without the FIN, this is one less than have come.
    pub bytes_before_fin: Option<u64>,
    /// How many bytes of data were sent, without those that were sent again.
    pub bytes_sent: u64,
    /// Whether data waits to be sent, or to be acknowledged.
    pub has_unsent: bool,
    /// Whether the peer owes an acknowledgement: of data, or of a question whether it takes data
    /// again.
    pub awaits_answer: bool,
    /// How long ago the peer's last acknowledgement came.
    pub last_answer: Duration,
}

/// How far the two sides have ended a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TcpEnds {
    /// The peer has not ended its direction.
    PeerOpen,
    /// The peer's FIN has come.
    PeerEnded,
    /// The connection is over: both sides have ended, or one has reset it.
    Over,
}

/// Asks the kernel about a TCP socket.
pub fn info(socket: impl AsFd) -> io::Result<TcpInfo> {
    let mut raw = MaybeUninit::<libc::tcp_info>::zeroed();
    let too_large = |_| io::Error::from(io::ErrorKind::InvalidInput);
    let mut len = libc::socklen_t::try_from(size_of::<libc::tcp_info>()).map_err(too_large)?;
    let fd = socket.as_fd().as_raw_fd();
    // SAFETY: the call writes at most `len` bytes to the structure.
    let done = unsafe {
        libc::getsockopt(
            fd,
            libc::IPPROTO_TCP,
            libc::TCP_INFO,
            raw.as_mut_ptr().cast(),
            &raw mut len,
        )
    };
    if done < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: any bytes are a valid structure of integers, and those that an older kernel does not
    // know are 0.
    let raw = unsafe { raw.assume_init() };
    Ok(TcpInfo {
        ends: ends(raw.tcpi_state),
        was_connected: raw.tcpi_segs_in > 1,
        bytes_before_fin: raw.tcpi_bytes_received.checked_sub(1),
        bytes_sent: raw.tcpi_bytes_sent.saturating_sub(raw.tcpi_bytes_retrans),
        has_unsent: raw.tcpi_unacked > 0 || raw.tcpi_notsent_bytes > 0,
        awaits_answer: raw.tcpi_unacked > 0 || raw.tcpi_probes > 0,
        last_answer: Duration::from_millis(raw.tcpi_last_ack_recv.into()),
    })
}

/// The states of include/net/tcp_states.h.
fn ends(state: u8) -> TcpEnds {
    match state {
        // CLOSE.
        7 => TcpEnds::Over,
        // TIME_WAIT, CLOSE_WAIT, LAST_ACK, CLOSING.
        6 | 8 | 9 | 11 => TcpEnds::PeerEnded,
        _ => TcpEnds::PeerOpen,
    }
}
