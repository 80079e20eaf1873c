//! User space runs this program to find an end that was missed, and to count bytes.

use core::ffi::c_void;

use aya_ebpf::programs::RawTracePointContext;
use pfsnoop_common::record::{LossCount, NOT_FOLLOWED, SockRecord, sock_flags, sock_states};

use super::socket::Sock;
use super::{now_ns, send, server_end, tcp};

/// The arguments are the address of a followed socket, the process that connected the socket, and
/// whether to report the bytes that the connection has carried until now (0 is no). Returns
/// [`NOT_FOLLOWED`] if there is no followed socket at this address, or if another process has
/// connected it.
///
/// This function does not use aya's macro, because the programs that the macro makes always return
/// 0.
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
/// net/ipv4/tcp_ipv4.c). So a read of a closed socket finds its last values, or the values of
/// another socket. The last values include the bytes that the connection carried, but not always
/// how it ended: the state before CLOSE is gone.
#[inline(always)]
fn try_check(sock: Sock, mut record: SockRecord, is_counted: bool) -> Option<()> {
    /// The tracepoint fires before the state changes, so a younger connection may still be in
    /// CLOSE.
    const YOUNG_NS: u64 = 500_000_000;
    let netns = sock.netns().unwrap_or(0);
    let state = sock.state()?;
    let age_ns = now_ns().saturating_sub(record.time_ns);
    let is_same = netns == record.netns && sock.port()? == record.port;
    if age_ns < YOUNG_NS || is_same && state != tcp::CLOSE {
        let is_released = record.flags & sock_flags::RELEASED != 0 || sock.is_orphan();
        if is_counted || is_released {
            sock.count(&mut record);
            sock.note_loopback(&mut record);
            let state = if is_released { sock_states::RELEASED } else { sock_states::OPEN };
            send(&mut record, state, LossCount::Checks);
        }
        return None;
    }
    sock.forget(&record)?;
    server_end::forget(&record, LossCount::Checks);
    let mut is_clear = false;
    if is_same {
        record.error = sock.error();
        is_clear = sock.count(&mut record).is_some_and(|counts| counts.is_ended);
        sock.note_loopback(&mut record);
    }
    let is_clear = is_clear || record.error != 0;
    let state = if is_clear { sock_states::CLOSED } else { sock_states::GONE };
    send(&mut record, state, LossCount::Checks);
    Some(())
}
