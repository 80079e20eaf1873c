//! pfsnoop shows every `kubectl port-forward` on a node: the native ones, and those through
//! `nsenter -t PID -n socat - TCP4:localhost:PORT`. It is itself a forwarder that works in the same
//! way.
//!
//! ```text
//! kernel -> probe -> monitor (sessions, attribution) -> Update -> output: text, JSON, live view
//! client -> forward (dialer, relay) -> correlator, with the monitor's updates -> Update -> output
//! ```
//!
//! Data flows one way. `exec`, `watch`, `forward` and `serve` connect sources, a filter and a sink, and
//! have no loop of their own. [`monitor`] has the event loop for the kernel's events.
//! `docs/ARCHITECTURE.md` explains the parts.
//!
//! # Invariants
//!
//! - A module imports only from modules that follow it in this list: `main, commands, cli, demo,
//!   doctor, agent, serve, forward, monitor, attribution, target, runtime, probe, output, host,
//!   sessions, model`. There are no cycles between files. `mod.rs` files only declare and re-export.
//! - Only [`probe`] names aya. Only [`host`], `doctor/facts` and [`demo`] read /proc; other modules
//!   ask [`host`]. A test (`tests/cli/layering`) checks the rules up to here.
//! - [`model`] and [`sessions`] do no I/O and read no clock. Only [`output`] formats, except for words
//!   that are the same in rows and in JSON ([`model::Outcome::name`]).
//! - Reading the ring buffers never waits: not for a runtime, not for stdout, not for a disk. What
//!   must wait is queued in order within a limit in bytes. The monitor's inbox drops and counts the
//!   events that do not fit. The queue for names drops nothing: it releases the oldest updates
//!   without names.
//! - Every queue, map, cache and buffer has a limit that no unprivileged process can raise. The
//!   limit is stated where the queue, map, cache or buffer is declared.
//! - A process is a [`model::ProcessId`] (pid, start time), never a pid alone. `pid` is the
//!   kernel's tgid, `tid` is the kernel's pid, and `comm` is the kernel's name of at most 15
//!   characters.
//! - Filters by name and arguments come before attribution.
//! - Nothing is guessed. A value that could not be read is absent, and an end that was not seen is
//!   reported as not seen.

pub mod agent;
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
pub mod serve;
pub mod sessions;
pub mod target;
