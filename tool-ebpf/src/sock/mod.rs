//! TCP connections in a network namespace that is not the home of their process, and connections of
//! processes named nsenter or socat: the raw tracepoint `inet_sock_set_state(const struct sock *sk,
//! const int oldstate, const int newstate)` (include/trace/events/sock.h), which
//! `inet_sk_state_store` (net/ipv4/af_inet.c) fires before each change.
//!
//! Only two changes surely happen in the process that has the socket: CLOSE -> SYN_SENT, and the
//! change when the process closes the socket. Other changes happen in interrupts, during any
//! process. So a map keeps the process of each followed connection, by the address of the socket,
//! from the first change until the connection is closed. No map has other sockets, such as the
//! sockets of servers: these cost a few reads and map lookups when they close.
//!
//! A session is over when its process closes the socket ([`release`]). The kernel may keep the
//! connection for much longer, to send what is left and to wait for the other side. If the loopback
//! device of the network namespace is down, that takes about two minutes.
//!
//! The kernel does not run a program within itself on the same CPU (`__bpf_trace_run`,
//! kernel/trace/bpf_trace.c). An interrupt during a run may change the state of other sockets, a
//! hundred at once if delayed acknowledgements are due, and the kernel skips the program for all of
//! them. So two programs run one after the other. A change that happens during one of them is seen
//! by the other. For any other change, the program that runs first does the work. When a process
//! connects or closes its socket, no second program is needed: no process is scheduled while a
//! program runs. A wake-up of the reader raises an interrupt of this kind, so the records of
//! sockets wake only a sleeping reader. User space also checks from time to time each connection
//! that should be open (docs/decisions/0004-two-programs-on-one-tracepoint.md).

mod check;
mod connect;
mod release;
mod room;
mod server_end;
mod socket;

use aya_ebpf::{
    helpers::generated::{bpf_get_current_task, bpf_ktime_get_boot_ns},
    macros::raw_tracepoint,
    programs::RawTracePointContext,
};
use pfsnoop_common::record::{LossCount, Ring, SockRecord, sock_states};

use crate::attached;
use crate::emit::{self, Urgency};
use crate::task::Task;
use socket::Sock;

/// States of a socket (include/net/tcp_states.h).
mod tcp {
    pub(super) const ESTABLISHED: u32 = 1;
    pub(super) const SYN_SENT: u32 = 2;
    pub(super) const FIN_WAIT1: u32 = 4;
    pub(super) const FIN_WAIT2: u32 = 5;
    pub(super) const CLOSE: u32 = 7;
    pub(super) const CLOSE_WAIT: u32 = 8;
    pub(super) const LAST_ACK: u32 = 9;
    pub(super) const CLOSING: u32 = 11;
}

/// Entry point.
#[raw_tracepoint(tracepoint = "inet_sock_set_state")]
fn inet_sock_set_state(ctx: RawTracePointContext) -> i32 {
    if !attached::all() {
        return 0;
    }
    let sock = Sock(ctx.arg::<*const u8>(0));
    match (ctx.arg::<u32>(1), ctx.arg::<u32>(2)) {
        (tcp::CLOSE, tcp::SYN_SENT) => connect::connecting(&ctx, sock),
        (before, after) if release::may_be_release(before, after) => {
            release::released(sock, before)
        }
        _ => try_state(&ctx, LossCount::Sockets),
    };
    0
}

/// Entry point for changes during a run of the program above: the kernel skips that program for
/// them.
#[raw_tracepoint(tracepoint = "inet_sock_set_state")]
fn inet_sock_set_state_within(ctx: RawTracePointContext) -> i32 {
    if attached::all() {
        try_state(&ctx, LossCount::SocketsWithin);
    }
    0
}

/// A followed connection is answered or closed.
#[inline(always)]
fn try_state(ctx: &RawTracePointContext, loss: LossCount) -> Option<()> {
    let sock = Sock(ctx.arg::<*const u8>(0));
    match (ctx.arg::<u32>(1), ctx.arg::<u32>(2)) {
        (tcp::SYN_SENT, tcp::ESTABLISHED) => answered(sock, loss),
        (before, tcp::CLOSE) => closed(sock, before, loss),
        _ => None,
    }
}

/// The other side answered. Only the first of the two programs reports it.
#[inline(always)]
fn answered(sock: Sock, loss: LossCount) -> Option<()> {
    let known = sock.entry()?;
    let source_port = sock.source_port().unwrap_or(0);
    // SAFETY: a map value is valid while the program runs, and only one CPU at a time changes the
    // state of a socket.
    let mut record = unsafe {
        if (*known).state != sock_states::CONNECTING {
            return None;
        }
        (*known).state = sock_states::CONNECTED;
        (*known).source_port = source_port;
        *known
    };
    server_end::expect(&record);
    sock.count(&mut record);
    send(&mut record, sock_states::CONNECTED, loss);
    Some(())
}

/// The connection is closed. Only the first of the two programs reports it.
#[inline(always)]
fn closed(sock: Sock, before: u32, loss: LossCount) -> Option<()> {
    let Some(mut record) = sock.followed() else {
        server_end::server_closed(sock, before, loss);
        return None;
    };
    sock.forget(&record)?;
    record.error = sock.error();
    sock.count(&mut record);
    release::note_end(sock, before, &mut record);
    server_end::client_closed(&record, loss);
    send(&mut record, sock_states::CLOSED, loss);
    Some(())
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
fn current_task() -> Task {
    // SAFETY: the helper takes nothing.
    Task(unsafe { bpf_get_current_task() } as *const u8)
}

#[inline(always)]
fn output(record: &SockRecord, loss: LossCount) {
    if emit::is_full_for(Ring::Helpers, record.share) {
        emit::count_lost(loss, record.share);
        return;
    }
    let urgency = Urgency::Relaxed(loss, record.share);
    // SAFETY: the record is initialised and has that size.
    unsafe { emit::output(Ring::Helpers, urgency, record, size_of::<SockRecord>()) };
}
