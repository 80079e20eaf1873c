//! TCP connections into another network namespace than the process's own, and those of socat: the
//! raw tracepoint `inet_sock_set_state(const struct sock *sk, const int oldstate, const int
//! newstate)` (include/trace/events/sock.h), which `inet_sk_state_store` (net/ipv4/af_inet.c) fires
//! before each change.
//!
//! Who connects is known in CLOSE -> SYN_SENT alone: later states come in an interrupt, in anybody's
//! name. So it is remembered there, by the socket's address, until the socket is closed. Of all other
//! sockets, servers' among them, nothing is: they cost a few reads, and a look-up at their end.
//!
//! The kernel does not run a program within itself on the same CPU (`__bpf_trace_run`,
//! kernel/trace/bpf_trace.c): an interrupt that comes while this one runs may answer or end other
//! sockets, a hundred at once where delayed acknowledgements are due, and all of them are passed
//! over. So there are two programs, one after the other: whatever comes within one of them is seen by
//! the other, and what neither has interrupted is taken by whichever comes first. A connection's
//! beginning needs no second one: a process makes it, and none is scheduled while a program runs.
//! Waking the reader raises such an interrupt, so that is done only when it sleeps; and user space
//! asks now and then after connections that it takes for open.

use aya_ebpf::{
    EbpfContext as _,
    helpers::generated::{bpf_get_current_task, bpf_ktime_get_boot_ns},
    macros::{map, raw_tracepoint},
    maps::LruHashMap,
    programs::RawTracePointContext,
};
use pfsnoop_common::record::{Kind, NOT_FOLLOWED, Ring, SockRecord, sock_flags, sock_states};
use pfsnoop_common::settings::filters;

use crate::emit::{self, Urgency};
use crate::exit;
use crate::filter::is_helper;
use crate::globals::{field, offset, setting};
use crate::task::Task;

/// States of a socket (include/net/tcp_states.h).
const ESTABLISHED: u32 = 1;
const SYN_SENT: u32 = 2;
const CLOSE: u32 = 7;
const CLOSE_WAIT: u32 = 8;

const AF_INET: u16 = 2;
const AF_INET6: u16 = 10;

/// Connections that are followed: what is known since the first state, by address of the socket.
#[map]
static CONNECTIONS: LruHashMap<u64, SockRecord> = LruHashMap::with_max_entries(16 * 1024, 0);

/// What a connection has carried: payload in bytes.
struct Counts {
    /// That the other side acknowledged.
    sent: u64,
    /// That arrived.
    received: u64,
    /// The other side acknowledged our first word.
    is_answered: bool,
}

/// A `struct sock *` from the kernel.
#[derive(Clone, Copy)]
struct Sock(*const u8);

/// Entry point.
#[raw_tracepoint(tracepoint = "inet_sock_set_state")]
fn inet_sock_set_state(ctx: RawTracePointContext) -> i32 {
    if (ctx.arg::<u32>(1), ctx.arg::<u32>(2)) == (CLOSE, SYN_SENT) {
        connecting(&ctx, Sock(ctx.arg::<*const u8>(0)));
    } else {
        try_state(&ctx);
    }
    0
}

/// Entry point for what comes while the one above runs, and is passed over there.
#[raw_tracepoint(tracepoint = "inet_sock_set_state")]
fn inet_sock_set_state_within(ctx: RawTracePointContext) -> i32 {
    try_state(&ctx);
    0
}

/// Run by user space, with the address of a followed socket, to learn of an end that was missed;
/// and, if the second argument is not 0, how much it has carried until now. Returns
/// [`NOT_FOLLOWED`] for any other.
#[raw_tracepoint]
fn look_at_connection(ctx: RawTracePointContext) -> i32 {
    let sock = Sock(ctx.arg::<*const u8>(0));
    // SAFETY: the value is copied at once.
    let Some(record) = (unsafe { CONNECTIONS.get(sock.0 as u64) }).copied() else {
        return NOT_FOLLOWED as i32;
    };
    try_look(sock, &record, ctx.arg::<u32>(1) != 0);
    0
}

/// A socket's memory is only ever used for sockets (`SLAB_TYPESAFE_BY_RCU`, net/ipv4/tcp_ipv4.c), so
/// that what is read of one that is over is its last, or another's.
#[inline(always)]
fn try_look(sock: Sock, record: &SockRecord, is_counted: bool) -> Option<()> {
    /// The state is reported before it is set: a connection this young may not have its first.
    const YOUNG_NS: u64 = 500_000_000;
    let net: *const u8 = field(sock.0, offset!(sock_common_skc_net))?;
    let netns: u32 = field(net, offset!(net_ns_inum)).unwrap_or(0);
    let port = u16::from_be(field(sock.0, offset!(sock_common_skc_dport))?);
    let state: u8 = field(sock.0, offset!(sock_common_skc_state))?;
    // SAFETY: the helper takes nothing.
    let age_ns = unsafe { bpf_ktime_get_boot_ns() }.saturating_sub(record.time_ns);
    let is_same = netns == record.netns && port == record.port;
    if age_ns < YOUNG_NS || is_same && u32::from(state) != CLOSE {
        if is_counted {
            report(sock, *record, sock_states::OPEN, 0);
        }
        return None;
    }
    close(sock, *record, if is_same { sock_states::CLOSED } else { sock_states::GONE }, 0)
}

/// A connection that is followed is answered, or over.
#[inline(always)]
fn try_state(ctx: &RawTracePointContext) -> Option<()> {
    let sock = Sock(ctx.arg::<*const u8>(0));
    match (ctx.arg::<u32>(1), ctx.arg::<u32>(2)) {
        (SYN_SENT, ESTABLISHED) => answered(sock),
        (before, CLOSE) => {
            // SAFETY: the value is copied at once.
            let record = unsafe { CONNECTIONS.get(sock.0 as u64) }.copied()?;
            let is_broken_off = before == ESTABLISHED || before == CLOSE_WAIT;
            let flags = u32::from(is_broken_off) * sock_flags::BROKEN_OFF;
            close(sock, record, sock_states::CLOSED, flags)
        }
        _ => None,
    }
}

/// The other side answered; only the first to say so is heard.
#[inline(always)]
fn answered(sock: Sock) -> Option<()> {
    let known = CONNECTIONS.get_ptr_mut(sock.0 as u64)?;
    // SAFETY: a map value is valid while the program runs, and only one CPU at a time changes a
    // socket's state.
    let record = unsafe {
        if (*known).state != sock_states::CONNECTING {
            return None;
        }
        (*known).state = sock_states::CONNECTED;
        *known
    };
    report(sock, record, sock_states::CONNECTED, 0);
    Some(())
}

/// It is over; only the first to say so is heard.
#[inline(always)]
fn close(sock: Sock, record: SockRecord, state: u32, flags: u32) -> Option<()> {
    CONNECTIONS.remove(record.id).ok()?;
    report(sock, record, state, flags);
    Some(())
}

/// The current task connects: it is remembered when the connection may be a forward's.
#[inline(always)]
fn connecting(ctx: &RawTracePointContext, sock: Sock) -> Option<()> {
    let net: *const u8 = field(sock.0, offset!(sock_common_skc_net))?;
    // SAFETY: the helper takes nothing.
    let task = Task(unsafe { bpf_get_current_task() } as *const u8);
    let process = task.leader()?;
    // Of the process and not of the thread: containerd's thread has entered the namespace, ours has
    // not, and only made the socket there.
    let is_foreign = process.net()? != net;
    if !is_foreign && !is_helper(ctx) || task.is_kernels() || !is_of_family(process) {
        return None;
    }
    let mut record = SockRecord {
        kind: Kind::Sock as u32,
        state: sock_states::CONNECTING,
        // SAFETY: the helper takes nothing.
        time_ns: unsafe { bpf_ktime_get_boot_ns() },
        id: sock.0 as u64,
        cookie: field(sock.0, offset!(sock_common_skc_cookie)).unwrap_or(0),
        start_ns: process.start_ns().unwrap_or(0),
        sent: 0,
        received: 0,
        pid: ctx.tgid(),
        tid: ctx.pid(),
        netns: field(net, offset!(net_ns_inum)).unwrap_or(0),
        flags: u32::from(is_foreign) * sock_flags::FOREIGN,
        error: 0,
        family: field(sock.0, offset!(sock_common_skc_family))?,
        port: u16::from_be(field(sock.0, offset!(sock_common_skc_dport))?),
        source: [0; 16],
        destination: [0; 16],
        comm: process.comm().unwrap_or_default(),
    };
    sock.addresses(&mut record)?;
    if CONNECTIONS.insert(record.id, record, 0).is_err() {
        emit::count_lost(Ring::Helpers);
        return None;
    }
    if is_foreign {
        // A forwarder that ends takes its connections with it.
        exit::expect_end(record.pid, record.start_ns);
    }
    send(&record);
    Some(())
}

/// Where only the children of one process are wanted: whether it is one of them, or their parent.
#[inline(always)]
fn is_of_family(process: Task) -> bool {
    let parent = setting!(ppid);
    let is = |one: Option<Task>| one.and_then(Task::pid) == Some(parent);
    setting!(filters) & filters::PPID == 0 || is(Some(process)) || is(process.parent())
}

/// Sends a followed connection in this state.
#[inline(always)]
fn report(sock: Sock, mut record: SockRecord, state: u32, flags: u32) {
    record.state = state;
    record.flags |= flags;
    // SAFETY: the helper takes nothing.
    record.time_ns = unsafe { bpf_ktime_get_boot_ns() };
    if state == sock_states::CLOSED {
        record.error = field(sock.0, offset!(sock_sk_err)).unwrap_or(0);
    }
    if state != sock_states::GONE
        && let Some(counts) = sock.counts()
    {
        record.sent = counts.sent;
        record.received = counts.received;
        record.flags |= sock_flags::COUNTED;
        if counts.is_answered {
            record.flags |= sock_flags::ANSWERED;
        }
    }
    send(&record);
}

#[inline(always)]
fn send(record: &SockRecord) {
    // SAFETY: the record is whole, and of that size.
    unsafe { emit::output(Ring::Helpers, Urgency::Quiet, record, size_of::<SockRecord>()) };
}

impl Sock {
    /// Fills both addresses in. They are set before the socket is in SYN_SENT (`tcp_v4_connect`,
    /// net/ipv4/tcp_ipv4.c; `tcp_v6_connect`, net/ipv6/tcp_ipv6.c).
    #[inline(always)]
    fn addresses(self, record: &mut SockRecord) -> Option<()> {
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

    /// What it has carried.
    #[inline(always)]
    fn counts(self) -> Option<Counts> {
        /// The other side's FIN has come (`tcp_fin`, net/ipv4/tcp_input.c): bit of `sk_flags`.
        const SOCK_DONE: u64 = 1 << 1;
        let sent: u64 = field(self.0, offset!(tcp_sock_bytes_sent))?;
        let again: u64 = field(self.0, offset!(tcp_sock_bytes_retrans))?;
        let acked: u64 = field(self.0, offset!(tcp_sock_bytes_acked))?;
        let received: u64 = field(self.0, offset!(tcp_sock_bytes_received))?;
        let flags: u64 = field(self.0, offset!(sock_common_skc_flags))?;
        // `bytes_acked` counts the SYN, and the FIN once it is acknowledged; then all has been.
        let payload = sent.saturating_sub(again);
        let is_answered = acked > 0;
        let acked = acked.saturating_sub(1);
        // `bytes_received` counts the FIN.
        let fin = u64::from(flags & SOCK_DONE != 0);
        let sent = if acked < payload { acked } else { payload };
        Some(Counts { sent, received: received.saturating_sub(fin), is_answered })
    }
}
