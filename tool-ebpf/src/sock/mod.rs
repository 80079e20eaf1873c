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

mod socket;

use core::ffi::c_void;

use aya_ebpf::{
    EbpfContext as _,
    helpers::generated::{bpf_get_current_task, bpf_ktime_get_boot_ns},
    macros::raw_tracepoint,
    programs::RawTracePointContext,
};
use pfsnoop_common::record::{
    Kind, LossCount, NOT_FOLLOWED, Ring, SockRecord, sock_flags, sock_states,
};
use pfsnoop_common::settings::filters;

use crate::emit::{self, Urgency};
use crate::exit;
use crate::filter::is_helper;
use crate::globals::{field, offset, setting};
use crate::task::Task;
use socket::Sock;

/// States of a socket (include/net/tcp_states.h).
const ESTABLISHED: u32 = 1;
const SYN_SENT: u32 = 2;
const CLOSE: u32 = 7;
const CLOSE_WAIT: u32 = 8;

/// Entry point.
#[raw_tracepoint(tracepoint = "inet_sock_set_state")]
fn inet_sock_set_state(ctx: RawTracePointContext) -> i32 {
    if (ctx.arg::<u32>(1), ctx.arg::<u32>(2)) == (CLOSE, SYN_SENT) {
        connecting(&ctx, Sock(ctx.arg::<*const u8>(0)));
    } else {
        try_state(&ctx, LossCount::Sockets);
    }
    0
}

/// Entry point for what comes while the one above runs, and is passed over there.
#[raw_tracepoint(tracepoint = "inet_sock_set_state")]
fn inet_sock_set_state_within(ctx: RawTracePointContext) -> i32 {
    try_state(&ctx, LossCount::SocketsWithin);
    0
}

/// Run by user space, with the address of a followed socket and the process that connected it, to
/// learn of an end that was missed; and, if the third argument is not 0, how much it has carried
/// until now. Returns [`NOT_FOLLOWED`] for any other, which may be at the same address later.
///
/// Without the macro, whose programs return 0 whatever the function does.
#[unsafe(no_mangle)]
#[unsafe(link_section = "raw_tp")]
extern "C" fn look_at_connection(ctx: *mut c_void) -> u32 {
    let ctx = RawTracePointContext::new(ctx);
    let sock = Sock(ctx.arg::<*const u8>(0));
    match sock.followed() {
        Some(record) if record.pid == ctx.arg::<u32>(1) => {
            try_look(sock, record, ctx.arg::<u32>(2) != 0);
            0
        }
        _ => NOT_FOLLOWED,
    }
}

/// A socket's memory is only ever used for sockets (`SLAB_TYPESAFE_BY_RCU`, net/ipv4/tcp_ipv4.c), so
/// that what is read of one that is over is its last, or another's. That says what it has carried, and
/// not always how it ended: the state before the last is not there any more.
#[inline(always)]
fn try_look(sock: Sock, mut record: SockRecord, is_counted: bool) -> Option<()> {
    /// The state is reported before it is set: a connection this young may not have its first.
    const YOUNG_NS: u64 = 500_000_000;
    let net: *const u8 = field(sock.0, offset!(sock_common_skc_net))?;
    let netns: u32 = field(net, offset!(net_ns_inum)).unwrap_or(0);
    let port = u16::from_be(field(sock.0, offset!(sock_common_skc_dport))?);
    let state: u8 = field(sock.0, offset!(sock_common_skc_state))?;
    let age_ns = now_ns().saturating_sub(record.time_ns);
    let is_same = netns == record.netns && port == record.port;
    if age_ns < YOUNG_NS || is_same && u32::from(state) != CLOSE {
        if is_counted {
            sock.count(&mut record);
            send(&mut record, sock_states::OPEN, LossCount::Looks);
        }
        return None;
    }
    sock.forget()?;
    let mut is_clear = false;
    if is_same {
        record.error = sock.error();
        is_clear = sock.count(&mut record).is_some_and(|counts| counts.is_ended);
    }
    let is_clear = is_clear || record.error != 0;
    let state = if is_clear { sock_states::CLOSED } else { sock_states::GONE };
    send(&mut record, state, LossCount::Looks);
    Some(())
}

/// A connection that is followed is answered, or over.
#[inline(always)]
fn try_state(ctx: &RawTracePointContext, loss: LossCount) -> Option<()> {
    let sock = Sock(ctx.arg::<*const u8>(0));
    match (ctx.arg::<u32>(1), ctx.arg::<u32>(2)) {
        (SYN_SENT, ESTABLISHED) => answered(sock, loss),
        (before, CLOSE) => closed(sock, before == ESTABLISHED || before == CLOSE_WAIT, loss),
        _ => None,
    }
}

/// The other side answered; only the first to say so is heard.
#[inline(always)]
fn answered(sock: Sock, loss: LossCount) -> Option<()> {
    let known = sock.entry()?;
    // SAFETY: a map value is valid while the program runs, and only one CPU at a time changes a
    // socket's state.
    let mut record = unsafe {
        if (*known).state != sock_states::CONNECTING {
            return None;
        }
        (*known).state = sock_states::CONNECTED;
        *known
    };
    sock.count(&mut record);
    send(&mut record, sock_states::CONNECTED, loss);
    Some(())
}

/// It is over; only the first to say so is heard.
#[inline(always)]
fn closed(sock: Sock, is_broken_off: bool, loss: LossCount) -> Option<()> {
    let mut record = sock.followed()?;
    sock.forget()?;
    record.flags |= u32::from(is_broken_off) * sock_flags::BROKEN_OFF;
    record.error = sock.error();
    sock.count(&mut record);
    send(&mut record, sock_states::CLOSED, loss);
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
        time_ns: now_ns(),
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
        uid: ctx.uid(),
        reserved: 0,
        family: field(sock.0, offset!(sock_common_skc_family))?,
        port: u16::from_be(field(sock.0, offset!(sock_common_skc_dport))?),
        source: [0; 16],
        destination: [0; 16],
        comm: process.comm().unwrap_or_default(),
    };
    sock.addresses(&mut record)?;
    if sock.follow(&record, is_foreign).is_none() {
        emit::count_lost(LossCount::Sockets);
        return None;
    }
    if is_foreign {
        // A forwarder that ends takes its connections with it.
        exit::expect_end(record.pid, record.start_ns);
    }
    output(&record, LossCount::Sockets);
    Some(())
}

/// Where only the children of one process are wanted: whether it is one of them, or their parent.
#[inline(always)]
fn is_of_family(process: Task) -> bool {
    let parent = setting!(ppid);
    let is = |one: Option<Task>| one.and_then(Task::pid) == Some(parent);
    setting!(filters) & filters::PPID == 0 || is(Some(process)) || is(process.parent())
}

/// Sends what is known of a connection as of now.
#[inline(always)]
fn send(record: &mut SockRecord, state: u32, loss: LossCount) {
    record.state = state;
    record.time_ns = now_ns();
    output(record, loss);
}

#[inline(always)]
fn now_ns() -> u64 {
    // SAFETY: the helper takes nothing.
    unsafe { bpf_ktime_get_boot_ns() }
}

#[inline(always)]
fn output(record: &SockRecord, loss: LossCount) {
    // SAFETY: the record is whole, and of that size.
    unsafe { emit::output(Ring::Helpers, Urgency::Quiet(loss), record, size_of::<SockRecord>()) };
}
