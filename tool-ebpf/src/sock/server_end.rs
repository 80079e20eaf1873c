//! The other end of a followed connection, which is a socket of this node too. Two facts can be
//! seen only there.
//!
//! The first is whether its process was ending when the kernel closed that socket. To TCP, a server
//! that ends a connection and a server that is killed in the middle of a transfer look the same: the
//! kernel sends what the server had written, and then a FIN. Some servers start a process for each
//! connection. The exit code of such a process says nothing here: sshd's exit with 255 when the client
//! has left. So an exit counts only if the process is older than the connection.
//!
//! The second is what the server does after the process at this end has closed its socket. The
//! kernel closes the connection as soon as the server has acknowledged the FIN (`tcp_time_wait`,
//! net/ipv4/tcp_minisocks.c), and keeps no socket at this end. Then the server closes its socket
//! too, or it sends more data and gets a reset.

use aya_ebpf::{
    macros::map,
    maps::{Array, LruHashMap},
};
use pfsnoop_common::record::{Kind, LossCount, SockRecord, sock_flags, sock_states};
use pfsnoop_common::shares;

use super::socket::Sock;
use super::{current_task, now_ns, send, tcp};
use crate::emit;

/// Identifies a connection by both of its ports.
#[repr(C)]
#[derive(Clone, Copy)]
struct Ports {
    netns: u32,
    client: u16,
    server: u16,
}

/// The end that is followed.
#[repr(C)]
#[derive(Clone, Copy)]
struct Client {
    id: u64,
    start_ns: u64,
    pid: u32,
    family: u16,
    reserved: u16,
    share: u32,
    reserved_32: u32,
}

/// The host's followed connections, by their ports. There is room for all of them. A connection that its
/// process has left keeps its entry until the server closes it too. When such entries fill the map, it
/// drops the oldest connection: how the server of that one ends is then not seen. That counts as a loss
/// when the connection ends.
#[map]
static SERVER_ENDS: LruHashMap<Ports, Client> =
    LruHashMap::with_max_entries(shares::FOREIGN.all + shares::HELPERS.all, 0);

/// The same for all other shares. Whoever connects inside a container can make entries that stay.
#[map]
static SERVER_ENDS_OF_OTHERS: LruHashMap<Ports, Client> =
    LruHashMap::with_max_entries(2 * (shares::FOREIGN.others + shares::HELPERS.others), 0);

/// When a process last closed its socket before the server did (`CLOCK_BOOTTIME`, ns). Only for a
/// while after that, sockets that close are looked up as possible servers.
#[map]
static LAST_LEFT: Array<u64> = Array::with_max_entries(1, 0);

/// How long after [`LAST_LEFT`] a server is looked up: longer than user space waits.
const LEFT_NS: u64 = 1_000_000_000;

/// Waits for the other end of a connection that was just established.
#[inline(always)]
pub(super) fn expect(record: &SockRecord) {
    let SockRecord { id, start_ns, pid, family, share, .. } = *record;
    let client = Client { id, start_ns, pid, family, reserved: 0, share, reserved_32: 0 };
    let _ = ends_of(share).insert(ports_of(record), client, 0);
}

/// The connection is closed. Keeps waiting for its other end only if the process at this end closed
/// its socket first.
#[inline(always)]
pub(super) fn client_closed(record: &SockRecord, loss: LossCount) {
    /// Each of these flags already shows how the connection ended.
    const CLEAR: u32 =
        sock_flags::FIN_RECEIVED | sock_flags::ABORTED | sock_flags::DATA_AFTER_RELEASE;
    // A server that has sent nothing was not sending.
    let has_left = record.flags & sock_flags::RELEASED != 0 && record.received > 0;
    if has_left && record.flags & CLEAR == 0 && record.error == 0 {
        if let Some(last) = LAST_LEFT.get_ptr_mut(0) {
            // SAFETY: a map value is valid while the program runs. All writers write the present.
            unsafe { last.write_volatile(now_ns()) };
        }
    } else {
        forget(record, loss);
    }
}

/// Stops waiting for the other end. If the map has dropped the connection, how its server ended may
/// have been missed.
#[inline(always)]
pub(super) fn forget(record: &SockRecord, loss: LossCount) {
    let was_expected = record.source_port != 0;
    if was_expected && ends_of(record.share).remove(ports_of(record)).is_err() {
        emit::count_lost(loss, record.share);
    }
}

#[inline(always)]
fn ends_of(share: u32) -> &'static LruHashMap<Ports, Client> {
    if share == shares::HOST { &SERVER_ENDS } else { &SERVER_ENDS_OF_OTHERS }
}

/// A socket that is not followed closes. Until now it was in the state `before`. It may be the
/// other end of a followed connection.
#[inline(always)]
pub(super) fn server_closed(sock: Sock, before: u32, loss: LossCount) -> Option<()> {
    // If the client has closed its socket first, the server's socket is in CLOSE_WAIT.
    let may_be_left = before == tcp::CLOSE_WAIT && is_any_left();
    let was_open = before == tcp::ESTABLISHED || before == tcp::CLOSE_WAIT;
    let task = current_task();
    // A reset closes the socket in an interrupt, in the name of any process.
    let is_ending = was_open && task.is_ending() && sock.is_shut();
    if !may_be_left && !is_ending {
        return None;
    }
    let netns = sock.netns()?;
    let ports = Ports { netns, client: sock.port()?, server: sock.source_port()? };
    // SAFETY: the value is copied at once.
    let client = *unsafe { SERVER_ENDS.get(ports).or_else(|| SERVER_ENDS_OF_OTHERS.get(ports)) }?;
    let Some(known) = Sock(client.id as *const u8).entry() else {
        let _ = ends_of(client.share).remove(ports);
        report(client, ports, sock.error(), loss);
        return None;
    };
    // SAFETY: a map value is valid while the program runs. This program alone writes these fields
    // of a connection that is established; a bit of `flags` that is lost costs only this fact.
    unsafe {
        let is_it = (*known).netns == netns && (*known).source_port == ports.client;
        if is_it && is_ending && (*known).flags & sock_flags::RELEASED == 0 {
            let status = task.wait_status()?;
            if is_by_signal(status) || task.start_ns()? < (*known).time_ns {
                (*known).server_status = status;
                (*known).flags |= sock_flags::SERVER_ENDED;
            }
        }
    }
    Some(())
}

/// Whether a signal ended the process with this wait status (wait(2), `WTERMSIG`).
#[inline(always)]
fn is_by_signal(status: u32) -> bool {
    status & 0x7f != 0
}

#[inline(always)]
fn report(client: Client, ports: Ports, error: u32, loss: LossCount) {
    let mut record = SockRecord {
        kind: Kind::Sock as u32,
        state: sock_states::SERVER_CLOSED,
        time_ns: 0,
        id: client.id,
        cookie: 0,
        start_ns: client.start_ns,
        sent: 0,
        received: 0,
        pid: client.pid,
        tid: client.pid,
        netns: ports.netns,
        flags: 0,
        error,
        uid: 0,
        unsent: 0,
        server_status: 0,
        segments: 0,
        share: client.share,
        family: client.family,
        port: ports.server,
        source_port: ports.client,
        reserved_16: 0,
        source: [0; 16],
        destination: [0; 16],
        comm: [0; 16],
    };
    send(&mut record, sock_states::SERVER_CLOSED, loss);
}

#[inline(always)]
fn is_any_left() -> bool {
    // SAFETY: a map value is valid while the program runs.
    let left_ns = LAST_LEFT.get_ptr(0).map_or(0, |last| unsafe { last.read_volatile() });
    left_ns != 0 && now_ns() < left_ns + LEFT_NS
}

#[inline(always)]
fn ports_of(record: &SockRecord) -> Ports {
    Ports { netns: record.netns, client: record.source_port, server: record.port }
}
