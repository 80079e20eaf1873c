//! A kernel socket: what the programs remember about it, and what they read from it.

use aya_ebpf::{macros::map, maps::LruHashMap};
use pfsnoop_common::record::{SockRecord, sock_flags};

use crate::globals::{field, offset};

const AF_INET: u16 = 2;
const AF_INET6: u16 = 10;

/// Followed connections into another network namespace, by the address of the socket, with the record
/// of their first state. Each of them may be a native forward.
#[map]
static FOREIGN_CONNECTIONS: LruHashMap<u64, SockRecord> =
    LruHashMap::with_max_entries(12 * 1024, 0);

/// Followed connections of socat. User space decides by the process which of them belong to a forward.
/// Any container may run socat and make connections without end; a map of their own keeps them from
/// pushing out those above.
#[map]
static HELPER_CONNECTIONS: LruHashMap<u64, SockRecord> = LruHashMap::with_max_entries(4 * 1024, 0);

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

    /// Follows the socket until it is closed.
    #[inline(always)]
    pub(super) fn follow(self, record: &SockRecord, is_foreign: bool) -> Option<()> {
        let followed = if is_foreign { &FOREIGN_CONNECTIONS } else { &HELPER_CONNECTIONS };
        followed.insert(self.0 as u64, record, 0).ok()
    }

    /// Stops following the socket. `None` if another program did so first.
    #[inline(always)]
    pub(super) fn forget(self) -> Option<()> {
        let id = self.0 as u64;
        FOREIGN_CONNECTIONS.remove(id).or_else(|_| HELPER_CONNECTIONS.remove(id)).ok()
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
        record.flags |= sock_flags::COUNTED;
        if counts.is_answered {
            record.flags |= sock_flags::ANSWERED;
        }
        Some(counts)
    }

    /// Reads the bytes that the connection has carried.
    #[inline(always)]
    fn counts(self) -> Option<Counts> {
        /// The FIN of the other side has arrived (`tcp_fin`, net/ipv4/tcp_input.c): bit of `sk_flags`.
        const SOCK_DONE: u64 = 1 << 1;
        let sent: u64 = field(self.0, offset!(tcp_sock_bytes_sent))?;
        let again: u64 = field(self.0, offset!(tcp_sock_bytes_retrans))?;
        let acked: u64 = field(self.0, offset!(tcp_sock_bytes_acked))?;
        let received: u64 = field(self.0, offset!(tcp_sock_bytes_received))?;
        let flags: u64 = field(self.0, offset!(sock_common_skc_flags))?;
        // `bytes_acked` also counts the SYN, and the FIN once all bytes and it are acknowledged.
        let payload = sent.saturating_sub(again);
        let is_answered = acked > 0;
        let acked = acked.saturating_sub(1);
        // `bytes_received` also counts the FIN.
        let fin = u64::from(flags & SOCK_DONE != 0);
        let sent = if acked < payload { acked } else { payload };
        let (received, is_ended) = (received.saturating_sub(fin), acked > payload);
        Some(Counts { sent, received, is_answered, is_ended })
    }
}
