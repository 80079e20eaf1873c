//! pfsnoop: shows every `nsenter -t PID -n socat - TCP4:localhost:PORT` that a node spawns for
//! `kubectl port-forward`, and is itself a forwarder that takes the same road.
//!
//! ```text
//! trace:    tracepoints -> ring buffer -> decode -> filter -> attribute (pod, container) -> output
//! watch:    tracepoints -> ring buffer -> decode -> sessions (state machine) -> output
//! forward:  listener -> target (pod, container, pid, netns) -> dial (nsenter+socat | native)
//!           -> relay -> account (with the kernel's sessions) -> output
//! ```
//!
//! # Who may use whom
//!
//! - Imports run one way: `main -> cli, commands -> {probe, trace, node, resolve, forward, doctor,
//!   demo, output}`; `probe, node -> trace`; `resolve -> {node, trace}`;
//!   `forward -> {resolve, node, trace}`; `doctor -> {probe, trace, node, resolve, forward}`;
//!   `demo -> node`. `output` knows the data of `trace`, `forward`, `resolve` and `doctor` and the
//!   clock of `node`, never their workings. No circles.
//! - [`trace`] does no I/O and reads no clock: bytes and times come in as arguments.
//! - Only [`probe`] names aya. Only [`node`] reads /proc; [`demo`] opens its own pod's namespaces
//!   there. Only [`output`] formats rows.
//! - Only `forward::dial::nsenter` spawns helpers, and `node::program` to ask for their version;
//!   [`demo`] spawns its own pod.
//! - Filter by name and arguments first; look-ups that race with exits come after.
//! - `pid` is the kernel's tgid, `tid` the kernel's pid, `comm` the kernel's 15 characters. A
//!   process is (pid, start time), never a bare pid.

pub mod cli;
pub mod commands;
pub mod demo;
pub mod doctor;
pub mod forward;
pub mod node;
pub mod output;
pub mod probe;
pub mod resolve;
pub mod trace;
