//! The other end of a followed connection, which is a socket of this node too: whether its process was
//! ending when the kernel closed that socket.
//!
//! The two look the same to TCP: a server that ends a connection, and a server that is killed in the
//! middle of a transfer. The kernel sends what the server had written, and then a FIN.

use aya_ebpf::{macros::map, maps::LruHashMap};
use pfsnoop_common::record::{SockRecord, sock_flags};

use super::socket::Sock;
use super::{current_task, tcp};

/// Identifies a connection by both of its ports.
#[repr(C)]
#[derive(Clone, Copy)]
struct Ports {
    netns: u32,
    client: u16,
    server: u16,
}

/// Addresses of followed sockets. A connection that is dropped from the map is followed all the same,
/// but for how its server ended.
#[map]
static SERVER_ENDS: LruHashMap<Ports, u64> = LruHashMap::with_max_entries(4 * 1024, 0);

/// Waits for the other end of a connection that was just established.
#[inline(always)]
pub(super) fn expect(sock: Sock, record: &SockRecord) {
    let _ = SERVER_ENDS.insert(ports_of(record), sock.0 as u64, 0);
}

/// Waits no longer.
#[inline(always)]
pub(super) fn forget(record: &SockRecord) {
    if record.source_port != 0 {
        let _ = SERVER_ENDS.remove(ports_of(record));
    }
}

/// A socket that is not followed was open until now, and is closed. If it is the other end of a
/// followed connection, and the current process is ending, notes how that process ended.
#[inline(always)]
pub(super) fn closed(sock: Sock, before: u32) -> Option<()> {
    let was_open = before == tcp::ESTABLISHED || before == tcp::CLOSE_WAIT;
    let task = current_task();
    // A reset closes the socket in an interrupt, in the name of any process.
    if !was_open || !task.is_ending() || !sock.is_shut() {
        return None;
    }
    let netns = sock.netns()?;
    let ports = Ports { netns, client: sock.port()?, server: sock.source_port()? };
    // SAFETY: the value is copied at once.
    let client = Sock(*unsafe { SERVER_ENDS.get(ports) }? as *const u8);
    let known = client.entry()?;
    let status = task.wait_status()?;
    // SAFETY: a map value is valid while the program runs. This program alone writes these fields
    // of a connection that is established; a bit of `flags` that is lost costs only this fact.
    unsafe {
        if (*known).netns == netns && (*known).source_port == ports.client {
            (*known).server_status = status;
            (*known).flags |= sock_flags::SERVER_ENDED;
        }
    }
    Some(())
}

#[inline(always)]
fn ports_of(record: &SockRecord) -> Ports {
    Ports { netns: record.netns, client: record.source_port, server: record.port }
}
