//! TCP connections from a process into another network namespace than its own, and connections of
//! socat: the raw tracepoint `inet_sock_set_state(const struct sock *sk, const int oldstate, const int
//! newstate)` (include/trace/events/sock.h), which `inet_sk_state_store` (net/ipv4/af_inet.c) fires
//! before each change.
//!
//! Only in CLOSE -> SYN_SENT the current process is the one that connects: later changes happen in
//! interrupts, in the name of any process. So the process is remembered at that moment, by the address
//! of the socket, until the socket is closed. Nothing is remembered about other sockets, such as those
//! of servers: they cost a few reads, and a map lookup when they close.
//!
//! The kernel does not run a program within itself on the same CPU (`__bpf_trace_run`,
//! kernel/trace/bpf_trace.c). An interrupt during a run may change the state of other sockets, a
//! hundred at once if delayed acknowledgements are due, and the program is skipped for all of them. So
//! two programs run one after the other: a change that happens during one of them is seen by the
//! other, and for any other change the first one does the work. The beginning of a connection needs no
//! second program: a process makes it, and no process is scheduled while a program runs. A wake-up of
//! the reader raises such an interrupt, so these records wake only a sleeping reader. User space also
//! checks from time to time each connection that should be open
//! (docs/decisions/0004-two-programs-on-one-tracepoint.md).

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

/// Entry point for changes during a run of the program above, for which that one is skipped.
#[raw_tracepoint(tracepoint = "inet_sock_set_state")]
fn inet_sock_set_state_within(ctx: RawTracePointContext) -> i32 {
    try_state(&ctx, LossCount::SocketsWithin);
    0
}

/// User space runs this program to find an end that was missed. The arguments are the address of a
/// followed socket, the process that connected it, and whether to report the bytes that it has carried
/// until now (not 0). Returns [`NOT_FOLLOWED`] for a socket that is not followed, or that another
/// process connected at the same address later.
///
/// It does without the macro of aya, since programs by that macro always return 0.
#[unsafe(no_mangle)]
#[unsafe(link_section = "raw_tp")]
extern "C" fn check_connection(ctx: *mut c_void) -> u32 {
    let ctx = RawTracePointContext::new(ctx);
    let sock = Sock(ctx.arg::<*const u8>(0));
    match sock.followed() {
        Some(record) if record.pid == ctx.arg::<u32>(1) => {
            try_check(sock, record, ctx.arg::<u32>(2) != 0);
            0
        }
        _ => NOT_FOLLOWED,
    }
}

/// The memory of a socket is only ever reused for sockets (`SLAB_TYPESAFE_BY_RCU`,
/// net/ipv4/tcp_ipv4.c). So a read of a closed socket finds its last values, or the values of another
/// socket. The last values include the bytes that it carried, but not always how it ended: the
/// state before the last is gone.
#[inline(always)]
fn try_check(sock: Sock, mut record: SockRecord, is_counted: bool) -> Option<()> {
    /// The tracepoint comes before the change: such a young connection may not have its first state.
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
            send(&mut record, sock_states::OPEN, LossCount::Checks);
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
    send(&mut record, state, LossCount::Checks);
    Some(())
}

/// A followed connection is answered or closed.
#[inline(always)]
fn try_state(ctx: &RawTracePointContext, loss: LossCount) -> Option<()> {
    let sock = Sock(ctx.arg::<*const u8>(0));
    match (ctx.arg::<u32>(1), ctx.arg::<u32>(2)) {
        (SYN_SENT, ESTABLISHED) => answered(sock, loss),
        (before, CLOSE) => closed(sock, before == ESTABLISHED || before == CLOSE_WAIT, loss),
        _ => None,
    }
}

/// The other side answered. Only the first of the two programs reports it.
#[inline(always)]
fn answered(sock: Sock, loss: LossCount) -> Option<()> {
    let known = sock.entry()?;
    // SAFETY: a map value is valid while the program runs, and only one CPU at a time changes the
    // state of a socket.
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

/// The connection is closed. Only the first of the two programs reports it.
#[inline(always)]
fn closed(sock: Sock, is_aborted: bool, loss: LossCount) -> Option<()> {
    let mut record = sock.followed()?;
    sock.forget()?;
    record.flags |= u32::from(is_aborted) * sock_flags::ABORTED;
    record.error = sock.error();
    sock.count(&mut record);
    send(&mut record, sock_states::CLOSED, loss);
    Some(())
}

/// The current task connects. Follows the connection if it may belong to a forward.
#[inline(always)]
fn connecting(ctx: &RawTracePointContext, sock: Sock) -> Option<()> {
    let net: *const u8 = field(sock.0, offset!(sock_common_skc_net))?;
    // SAFETY: the helper takes nothing.
    let task = Task(unsafe { bpf_get_current_task() } as *const u8);
    let process = task.leader()?;
    // The namespace of the first thread counts. The connecting thread does not tell: containerd's
    // has entered the pod's namespace, and pfsnoop's own has not.
    let is_foreign = process.net()? != net;
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
        // The connections of a forwarder end with its process.
        exit::expect_end(record.pid, record.start_ns);
    }
    output(&record, LossCount::Sockets);
    Some(())
}

/// If only the children of one process are traced: whether this is one of them, or their parent.
#[inline(always)]
fn is_of_family(process: Task) -> bool {
    let parent = setting!(ppid);
    let is = |one: Option<Task>| one.and_then(Task::pid) == Some(parent);
    setting!(filters) & filters::PPID == 0 || is(Some(process)) || is(process.parent())
}

/// Sends a record of the connection's present state.
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
    // SAFETY: the record is initialised and has that size.
    unsafe { emit::output(Ring::Helpers, Urgency::Relaxed(loss), record, size_of::<SockRecord>()) };
}
