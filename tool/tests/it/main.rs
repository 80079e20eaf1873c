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

mod against_execsnoop;
mod attribution;
mod bad_input;
mod build;
mod cases;
mod cri;
mod demo;
mod dist;
mod docker;
mod doctor;
mod doctor_daemons;
mod doctor_odd;
mod doctor_ports;
mod doctor_road;
mod doctor_shell;
mod ending;
mod exec;
mod filters;
mod forgotten;
mod forward;
mod forward_end;
mod kernels;
mod late_names;
mod loss;
mod names;
mod native;
mod nsenter_road;
mod odd_execs;
mod records;
mod reused_pid;
mod runbook;
mod sessions;
mod silent_runtime;
mod sockets;
mod stalls;
mod targets;
mod watch;
mod watch_child;
mod watch_live;
mod watch_lost;
mod watch_native;
mod watch_noise;
mod watch_rows;
