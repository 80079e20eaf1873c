//! Tests that need root: against the real kernel, nsenter, socat, Docker and containerd.
//!
//! They run the built binary as a user does. None is skipped: without a part that
//! `cargo xtask setup` installs, they fail and say so. `tests/README.md` says what is where.

#![expect(unreachable_pub, reason = "a test binary has no users")]
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "a test that fails says where"
)]

#[path = "../common/mod.rs"]
mod common;
mod require_root;
mod support;

mod agent;
mod attribution;
mod cli;
mod doctor;
mod exec;
mod forward;
mod hostile;
mod kernels;
mod serve;
mod store;
mod targets;
mod watch;
