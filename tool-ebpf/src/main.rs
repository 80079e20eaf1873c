//! pfsnoop's kernel programs: one file for each traced behaviour, with an entry function and the
//! `try_*` function that does its work.
//!
//! They read kernel structures at offsets that user space resolves from the running kernel's BTF
//! ([`globals`]), never by a layout that is known at build time.
#![no_std]
#![no_main]
#![cfg_attr(target_arch = "bpf", feature(asm_experimental_arch))]
#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "lengths are bounded before they are cast, and the verifier proves it at every load"
)]
#![expect(clippy::needless_pass_by_value, reason = "the macros hand each program its context")]

mod attached;
mod cgroup;
mod emit;
mod exec;
mod exit;
mod failed_exec;
mod filter;
mod globals;
mod home;
mod share;
mod sock;
mod task;
mod text;

/// A BPF program cannot panic: the verifier rejects an object in which this is reachable.
#[cfg(not(test))]
#[panic_handler]
fn panic(_info: &core::panic::PanicInfo<'_>) -> ! {
    loop {}
}

/// The helpers for tracing are for GPL-compatible programs only.
#[unsafe(link_section = "license")]
#[unsafe(no_mangle)]
static LICENSE: [u8; 13] = *b"Dual MIT/GPL\0";
