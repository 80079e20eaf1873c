//! A relay that pfsnoop does not use: what comes in at one socket is sent out at the other, by the
//! kernel alone. `cargo xtask bench sockmap` shows why; the shipped binary does not embed it.
#![no_std]
#![no_main]
#![expect(clippy::needless_pass_by_value, reason = "the macro hands the program its context")]

use aya_ebpf::macros::{map, stream_verdict};
use aya_ebpf::maps::SockMap;
use aya_ebpf::programs::SkBuffContext;

/// The socket at which bytes come in; the program runs for this map's socket alone.
#[map]
static FROM: SockMap = SockMap::with_max_entries(1, 0);

/// The socket at which they go out.
#[map]
static TO: SockMap = SockMap::with_max_entries(1, 0);

/// `SK_PASS` (include/uapi/linux/bpf.h); `SK_DROP` is 0.
const PASS: i64 = 1;

/// Entry point: `SK_PASS` with somewhere to go, or `SK_DROP` while there is no socket to send from.
#[stream_verdict]
fn relay(ctx: SkBuffContext) -> u32 {
    // SAFETY: the context is this program's own, and the map lives as long as it does.
    let verdict = unsafe { TO.redirect_skb(&ctx, 0, 0) };
    u32::from(verdict == PASS)
}

/// A BPF program cannot panic: the verifier rejects an object in which this is reachable.
#[cfg(not(test))]
#[panic_handler]
fn panic(_info: &core::panic::PanicInfo<'_>) -> ! {
    loop {}
}
