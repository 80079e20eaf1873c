//! pfsnoop: shows every `nsenter -t PID -n socat - TCP4:localhost:PORT` that a node spawns for
//! `kubectl port-forward`, and is itself a forwarder that works in the same way.
//!
//! ```text
//! kernel -> probe -> monitor (sessions, attribution) -> Update -> output: text, JSON, live view
//! client -> forward -> dial (nsenter+socat | native) -> relay -> correlate with the monitor's updates
//!        -> Update -> the same outputs
//! ```
//!
//! Data flows one way. Every command is a choice of sources, a filter, and sinks; it contains no loop
//! of its own. `docs/ARCHITECTURE.md` is the tour.
//!
//! # Invariants
//!
//! - A module imports only from modules to its right: `main, commands, cli, demo, doctor, forward,
//!   monitor, attribution, target, runtime, probe, output, host, sessions, model`. No cycles, not
//!   between files either. `mod.rs` files only declare and re-export. A test checks all of this.
//! - [`model`] and [`sessions`] do no I/O and read no clock. Only [`probe`] names aya. Only [`host`],
//!   `doctor/facts` and [`demo`] read /proc. Only [`output`] formats.
//! - Reading the ring buffers never waits: not for a runtime, not for stdout, not for a disk. What
//!   must wait is queued in order within a limit in bytes, and counted when dropped.
//! - Every queue, map, cache and buffer has a limit that no unprivileged process can raise. The limit
//!   stands beside it.
//! - A process is a [`model::ProcessId`] (pid, start time), never a bare pid. `pid` is the kernel's
//!   tgid, `tid` the kernel's pid, `comm` the kernel's 15 characters.
//! - Filter by name and arguments before attribution.
//! - Nothing is guessed. A value that could not be read is absent, and an end that was not seen is
//!   reported as not seen.

pub mod attribution;
pub mod cli;
pub mod commands;
pub mod demo;
pub mod doctor;
pub mod forward;
pub mod host;
pub mod model;
pub mod monitor;
pub mod output;
pub mod probe;
pub mod runtime;
pub mod sessions;
pub mod target;
