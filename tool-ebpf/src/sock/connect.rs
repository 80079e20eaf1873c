//! A process begins to connect.

use aya_ebpf::{EbpfContext as _, programs::RawTracePointContext};
use pfsnoop_common::record::{Kind, LossCount, Ring, SockRecord, sock_flags, sock_states};
use pfsnoop_common::settings::filters;

use super::socket::{AF_INET6, Sock};
use super::{current_task, now_ns, output};
use crate::emit;
use crate::exit;
use crate::filter::is_helper;
use crate::globals::{field, offset, setting};
use crate::home;
use crate::share;
use crate::task::Task;

/// The current task connects. Follows the connection if it may belong to a forward.
#[inline(always)]
pub(super) fn connecting(ctx: &RawTracePointContext, sock: Sock) -> Option<()> {
    let netns = sock.netns()?;
    let task = current_task();
    let process = task.leader()?;
    let home = home::home_of(ctx.tgid(), process)?;
    let is_foreign = home != netns;
    if !is_foreign && !is_helper(ctx) || task.is_kernel_thread() || !is_of_family(process) {
        return None;
    }
    let mut record = SockRecord {
        kind: Kind::Sock as u32,
        state: sock_states::CONNECTING,
        time_ns: now_ns(),
        id: sock.0 as u64,
        cookie: field(sock.0, offset!(sock_common_skc_cookie)).unwrap_or(0),
        start_ns: process.start_ns().unwrap_or(0),
        sent: 0,
        received: 0,
        pid: ctx.tgid(),
        tid: ctx.pid(),
        netns,
        flags: u32::from(is_foreign) * sock_flags::FOREIGN,
        error: 0,
        uid: ctx.uid(),
        unsent: 0,
        server_status: 0,
        segments: 0,
        share: share::of(process, home),
        family: field(sock.0, offset!(sock_common_skc_family))?,
        port: sock.port()?,
        source_port: 0,
        reserved_16: 0,
        source: [0; 16],
        destination: [0; 16],
        comm: process.comm().unwrap_or_default(),
    };
    sock.addresses(&mut record)?;
    if is_foreign && !stays_inside(&record) && !is_helper(ctx) {
        return None;
    }
    if emit::is_full_for(Ring::Helpers, record.share) || sock.follow(&record).is_none() {
        emit::count_lost(LossCount::Sockets, record.share);
        return None;
    }
    if is_foreign {
        // The connections of a forwarder end with its process.
        exit::expect_end(record.pid, record.start_ns, record.share);
    }
    output(&record, LossCount::Sockets);
    Some(())
}

/// Whether a connection stays inside its network namespace, as that of a forwarder does: it leads to
/// localhost, or from one of the namespace's addresses to itself.
#[inline(always)]
fn stays_inside(record: &SockRecord) -> bool {
    /// The beginning of an IPv4 address that an IPv6 socket uses (RFC 4291, 2.5.5.2).
    const MAPPED: u64 = u64::from_ne_bytes([0, 0, 0xff, 0xff, 0, 0, 0, 0]);
    const FOUR_BYTES: u64 = u64::from_ne_bytes([0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0]);
    const LOCALHOST: u64 = u64::from_be(1);
    const LOCAL_NETWORK: u8 = 127;
    let (high, low) = halves(&record.destination);
    if (high, low) == halves(&record.source) {
        return true;
    }
    if record.family != AF_INET6 {
        return record.destination[0] == LOCAL_NETWORK;
    }
    let is_mapped = low & FOUR_BYTES == MAPPED;
    high == 0 && (low == LOCALHOST || is_mapped && record.destination[12] == LOCAL_NETWORK)
}

/// As two numbers, since the verifier would follow each comparison of a byte both ways.
#[inline(always)]
fn halves(address: &[u8; 16]) -> (u64, u64) {
    let (halves, _) = address.as_chunks::<8>();
    (u64::from_ne_bytes(halves[0]), u64::from_ne_bytes(halves[1]))
}

/// If only the children of one process are traced: whether this is one of them, or their parent.
#[inline(always)]
fn is_of_family(process: Task) -> bool {
    let (parent, pidns) = (setting!(ppid), setting!(ppid_pidns));
    let is = |one: Option<Task>| one.is_some_and(|one| one.is_process(parent, pidns));
    setting!(filters) & filters::PPID == 0 || is(Some(process)) || is(process.parent())
}
