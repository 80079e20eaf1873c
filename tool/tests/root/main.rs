//! Tests against the real kernel, real nsenter, socat and Docker, as root.
//!
//! They run the built binary as a user does. Nothing is skipped: without root, or without a part
//! that `cargo xtask setup` installs, they fail and say so.

#![expect(unreachable_pub, reason = "a test binary offers nothing to anybody")]
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that fails says where"
)]

mod support;

mod attribution;
mod cli;
mod doctor;
mod exec;
mod forward;
mod kernels;
mod targets;
mod watch;
