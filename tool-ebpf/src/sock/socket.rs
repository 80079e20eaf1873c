//! A kernel socket: what the programs remember about it, and what they read from it.

use aya_ebpf::{bindings::BPF_NOEXIST, macros::map, maps::HashMap};
use pfsnoop_common::record::{SockRecord, sock_flags};
use pfsnoop_common::shares;

use super::room::{self, Table};
use super::tcp;
use crate::globals::{field, offset};

const AF_INET: u16 = 2;
pub(super) const AF_INET6: u16 = 10;

/// Bits of `sk_flags` (`enum sock_flags`, include/net/sock.h): no process has the socket.
const SOCK_DEAD: u64 = 1;
/// The FIN of the other side has arrived (`tcp_fin`, net/ipv4/tcp_input.c).
const SOCK_DONE: u64 = 1 << 1;
/// `SO_LINGER` is set.
const SOCK_LINGER: u64 = 1 << 4;

/// Followed connections into another network namespace, by the address of the socket, with the record
/// of their first state. Each of them may be a native forward. Not an LRU map, since that would drop the
/// connections that live long. A connection for which its share has no room is not followed, and counts
/// as lost.
#[map]
static FOREIGN_CONNECTIONS: HashMap<u64, SockRecord> =
    HashMap::with_max_entries(shares::FOREIGN.all, 0);

/// Followed connections of processes named nsenter or socat. User space decides by the process
/// which of them belong to a forward. Any container may run socat and make connections without end.
/// In this separate map, they take no room in [`FOREIGN_CONNECTIONS`].
#[map]
static HELPER_CONNECTIONS: HashMap<u64, SockRecord> =
    HashMap::with_max_entries(shares::HELPERS.all, 0);

#[inline(always)]
fn table_of(record: &SockRecord) -> Table {
    let is_foreign = record.flags & sock_flags::FOREIGN != 0;
    if is_foreign { Table::Foreign } else { Table::Helpers }
}

#[inline(always)]
fn connections(table: Table) -> &'static HashMap<u64, SockRecord> {
    match table {
        Table::Foreign => &FOREIGN_CONNECTIONS,
        Table::Helpers => &HELPER_CONNECTIONS,
    }
}

/// Bytes of payload that a connection has carried.
pub(super) struct Counts {
    /// Sent, and acknowledged by the other side.
    sent: u64,
    /// Received.
    received: u64,
    /// The other side acknowledged the SYN.
    is_answered: bool,
    /// The other side acknowledged the FIN.
    pub(super) is_ended: bool,
    /// The FIN of the other side has arrived.
    has_fin: bool,
}

/// A `struct sock *` from the kernel.
#[derive(Clone, Copy)]
pub(super) struct Sock(pub(super) *const u8);

impl Sock {
    /// The map's entry of this socket, if it is followed.
    #[inline(always)]
    pub(super) fn entry(self) -> Option<*mut SockRecord> {
        let id = self.0 as u64;
        FOREIGN_CONNECTIONS.get_ptr_mut(id).or_else(|| HELPER_CONNECTIONS.get_ptr_mut(id))
    }

    /// A copy of the entry, if the socket is followed.
    #[inline(always)]
    pub(super) fn followed(self) -> Option<SockRecord> {
        // SAFETY: a map value is valid while the program runs; it is copied at once.
        self.entry().map(|entry| unsafe { *entry })
    }

    /// Follows the socket until it is closed. `None` if there is no room.
    #[inline(always)]
    pub(super) fn follow(self, record: &SockRecord) -> Option<()> {
        let id = self.0 as u64;
        if let Some(before) = self.followed() {
            // The end of an earlier connection with this address was missed.
            self.forget(&before);
        }
        let table = table_of(record);
        if !room::is_left(table, record.share) {
            return None;
        }
        connections(table).insert(id, record, u64::from(BPF_NOEXIST)).ok()?;
        room::take(table, record.share);
        Some(())
    }

    /// Stops following the socket with this record. `None` if another program did so first.
    #[inline(always)]
    pub(super) fn forget(self, record: &SockRecord) -> Option<()> {
        let id = self.0 as u64;
        let table = table_of(record);
        connections(table).remove(id).ok()?;
        room::give_back(table, record.share);
        Some(())
    }

    /// Inode of the network namespace.
    #[inline(always)]
    pub(super) fn netns(self) -> Option<u32> {
        field(self.net()?, offset!(net_ns_inum))
    }

    #[inline(always)]
    fn net(self) -> Option<*const u8> {
        field(self.0, offset!(sock_common_skc_net))
    }

    /// The port of the other side.
    #[inline(always)]
    pub(super) fn port(self) -> Option<u16> {
        field(self.0, offset!(sock_common_skc_dport)).map(u16::from_be)
    }

    /// The port of this side. Unlike `skc_num`, this field keeps its value when the connection is
    /// closed.
    #[inline(always)]
    pub(super) fn source_port(self) -> Option<u16> {
        field(self.0, offset!(inet_sock_inet_sport)).map(u16::from_be)
    }

    /// The state (include/net/tcp_states.h).
    #[inline(always)]
    pub(super) fn state(self) -> Option<u32> {
        field::<u8>(self.0, offset!(sock_common_skc_state)).map(u32::from)
    }

    /// Whether nothing more can be sent or received: the process has closed the socket, or has shut
    /// down both directions (`SHUTDOWN_MASK`, include/net/sock.h).
    #[inline(always)]
    pub(super) fn is_shut(self) -> bool {
        field::<u8>(self.0, offset!(sock_sk_shutdown)).is_some_and(|shutdown| shutdown & 3 == 3)
    }

    /// Whether no process has the socket any more.
    #[inline(always)]
    pub(super) fn is_orphan(self) -> bool {
        self.flags().is_some_and(|flags| flags & SOCK_DEAD != 0)
    }

    /// Whether the process wants close(2) to reset the connection. To be called only when close(2)
    /// has closed the connection at once: then the time of `SO_LINGER` is 0.
    #[inline(always)]
    pub(super) fn asked_for_reset(self) -> bool {
        self.flags().is_some_and(|flags| flags & SOCK_LINGER != 0)
    }

    /// Segments with data that have arrived.
    #[inline(always)]
    pub(super) fn segments(self) -> u32 {
        field(self.0, offset!(tcp_sock_data_segs_in)).unwrap_or(0)
    }

    /// `sk_flags`: bits of `enum sock_flags`.
    #[inline(always)]
    fn flags(self) -> Option<u64> {
        field(self.0, offset!(sock_common_skc_flags))
    }

    /// Notes whether the loopback device of the namespace is down.
    #[inline(always)]
    pub(super) fn note_loopback(self, record: &mut SockRecord) {
        /// include/uapi/linux/if.h
        const IFF_UP: u32 = 1;
        let Some(net) = self.net() else { return };
        let Some(device) = field::<*const u8>(net, offset!(net_loopback_dev)) else { return };
        let Some(flags) = field::<u32>(device, offset!(net_device_flags)) else { return };
        if flags & IFF_UP == 0 {
            record.flags |= sock_flags::LOOPBACK_DOWN;
        }
    }

    /// Fills in both addresses. The kernel sets them before the socket is in SYN_SENT (`tcp_v4_connect`,
    /// net/ipv4/tcp_ipv4.c; `tcp_v6_connect`, net/ipv6/tcp_ipv6.c).
    #[inline(always)]
    pub(super) fn addresses(self, record: &mut SockRecord) -> Option<()> {
        match record.family {
            AF_INET => {
                let source: [u8; 4] = field(self.0, offset!(sock_common_skc_rcv_saddr))?;
                let destination: [u8; 4] = field(self.0, offset!(sock_common_skc_daddr))?;
                record.source[..4].copy_from_slice(&source);
                record.destination[..4].copy_from_slice(&destination);
            }
            AF_INET6 => {
                record.source = field(self.0, offset!(sock_common_skc_v6_rcv_saddr))?;
                record.destination = field(self.0, offset!(sock_common_skc_v6_daddr))?;
            }
            _ => return None,
        }
        Some(())
    }

    /// The errno that the connection ended with, or 0.
    #[inline(always)]
    pub(super) fn error(self) -> u32 {
        field(self.0, offset!(sock_sk_err)).unwrap_or(0)
    }

    /// Adds the bytes that the connection has carried.
    #[inline(always)]
    pub(super) fn count(self, record: &mut SockRecord) -> Option<Counts> {
        let counts = self.counts()?;
        record.sent = counts.sent;
        record.received = counts.received;
        record.unsent = self.unsent().unwrap_or(0);
        record.flags |= sock_flags::COUNTED;
        if counts.is_answered {
            record.flags |= sock_flags::ANSWERED;
        }
        if counts.has_fin {
            record.flags |= sock_flags::FIN_RECEIVED;
        }
        Some(counts)
    }

    /// Reads the bytes that the connection has carried.
    #[inline(always)]
    fn counts(self) -> Option<Counts> {
        let sent: u64 = field(self.0, offset!(tcp_sock_bytes_sent))?;
        let again: u64 = field(self.0, offset!(tcp_sock_bytes_retrans))?;
        let acked: u64 = field(self.0, offset!(tcp_sock_bytes_acked))?;
        let received: u64 = field(self.0, offset!(tcp_sock_bytes_received))?;
        let has_fin = self.flags()? & SOCK_DONE != 0;
        // `bytes_acked` also counts the SYN, and the FIN once all bytes and it are acknowledged.
        let payload = sent.saturating_sub(again);
        let is_answered = acked > 0;
        let acked = acked.saturating_sub(1);
        // `bytes_received` also counts the FIN.
        let sent = if acked < payload { acked } else { payload };
        let received = received.saturating_sub(u64::from(has_fin));
        let is_ended = acked > payload;
        Some(Counts { sent, received, is_answered, is_ended, has_fin })
    }

    /// Bytes that the process has written and the other side has not acknowledged.
    #[inline(always)]
    fn unsent(self) -> Option<u32> {
        let written: u32 = field(self.0, offset!(tcp_sock_write_seq))?;
        let acknowledged: u32 = field(self.0, offset!(tcp_sock_snd_una))?;
        // A FIN counts as a byte.
        let has_fin = matches!(self.state()?, tcp::FIN_WAIT1 | tcp::CLOSING | tcp::LAST_ACK);
        Some(written.wrapping_sub(acknowledged).saturating_sub(u32::from(has_fin)))
    }
}
