//! A process closes its socket, whatever TCP still does with the connection.
//!
//! close(2) on a connection (`__tcp_close`, net/ipv4/tcp.c) sets `sk_shutdown` and then the next
//! state, even if this is the same state as before. close(2) resets the connection at once if data
//! has arrived that was not read, or if the process asked for a reset.

use pfsnoop_common::record::{LossCount, SockRecord, sock_flags, sock_states};

use super::socket::Sock;
use super::{send, server_end, tcp};

/// Whether a process may be closing its socket. A shutdown(2) of one direction makes some of these
/// changes too, which [`Sock::is_shut`] excludes.
#[inline(always)]
pub(super) fn may_be_release(before: u32, after: u32) -> bool {
    before == tcp::ESTABLISHED && after == tcp::FIN_WAIT1
        || before == tcp::CLOSE_WAIT && after == tcp::LAST_ACK
        || before == after && after != tcp::CLOSE
}

/// If the current process closes a followed socket, reports the connection as it is at that moment.
#[inline(always)]
pub(super) fn released(sock: Sock, before: u32) -> Option<()> {
    if !sock.is_shut() {
        return None;
    }
    let Some(known) = sock.entry() else {
        server_end::server_closed(sock, before, LossCount::Sockets);
        return None;
    };
    // SAFETY: a map value is valid while the program runs, and the process has locked the socket.
    let mut record = unsafe {
        (*known).flags |= sock_flags::RELEASED;
        (*known).segments = sock.segments();
        *known
    };
    sock.count(&mut record);
    note_fins(before, &mut record);
    sock.note_loopback(&mut record);
    send(&mut record, sock_states::RELEASED, LossCount::Sockets);
    Some(())
}

/// Notes how a connection was closed. `before` is its last state before CLOSE.
#[inline(always)]
pub(super) fn note_end(sock: Sock, before: u32, record: &mut SockRecord) {
    let is_released = record.flags & sock_flags::RELEASED != 0;
    let is_over = record.flags & sock_flags::FIN_RECEIVED != 0;
    let is_half_open = before == tcp::ESTABLISHED || before == tcp::CLOSE_WAIT;
    if record.error == 0 && !is_released && (is_half_open || sock.is_shut() && !is_over) {
        record.flags |= sock_flags::ABORTED;
        if sock.asked_for_reset() {
            record.flags |= sock_flags::LINGER;
        }
    }
    if is_released && sock.segments() != record.segments {
        record.flags |= sock_flags::DATA_AFTER_RELEASE;
    }
    note_fins(before, record);
    sock.note_loopback(record);
}

/// Notes whether this side had ended in the state `before`.
#[inline(always)]
fn note_fins(before: u32, record: &mut SockRecord) {
    if matches!(before, tcp::FIN_WAIT1 | tcp::FIN_WAIT2 | tcp::CLOSING | tcp::LAST_ACK) {
        record.flags |= sock_flags::FIN_SENT;
    }
}
