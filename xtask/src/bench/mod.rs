//! `cargo xtask bench`: us and the peers, side by side in one run, with ratios.

mod bpf;
mod forward;
mod latency;
mod netns;
mod stats;
mod storm;
mod table;
mod trace;
mod tracer;
mod watch;

use anyhow::Result;
use clap::Subcommand;

pub(crate) use forward::client::{Load, run as run_client};
pub(crate) use forward::run_serve;
pub(crate) use storm::run as run_storm;

/// What can be measured.
#[derive(Subcommand)]
pub(crate) enum Bench {
    /// The exec tracer beside libbpf-tools' execsnoop and bpftrace's execsnoop.bt
    Trace {
        /// Execs in each storm
        #[arg(long, default_value_t = 3000)]
        execs: u32,
        /// Times that each storm and each start is repeated; the table shows medians
        #[arg(long, default_value_t = 5)]
        rounds: usize,
    },
    /// Thousands of connections by each dialer, and what remains of them in the forwarder
    Soak {
        /// Connections one after another
        #[arg(long, default_value_t = 10_000)]
        in_a_row: u32,
        /// Connections at the same time
        #[arg(long, default_value_t = 300)]
        at_once: u32,
    },
    /// The watch: what it costs ordinary connections and execs, and its memory and latency
    Watch {
        /// Sessions that its memory is measured on
        #[arg(long, default_value_t = 100_000)]
        sessions: u32,
    },
    /// The forwarder's roads beside a chain of socat and nsenter, and beside no forwarder
    Forward {
        /// Times that each is repeated; the table shows medians
        #[arg(long, default_value_t = 5)]
        rounds: usize,
    },
}

/// Runs one of them.
pub(crate) fn run(bench: &Bench) -> Result<()> {
    match *bench {
        Bench::Trace { execs, rounds } => trace::run(execs, rounds),
        Bench::Watch { sessions } => watch::run(sessions),
        Bench::Forward { rounds } => forward::run(rounds),
        Bench::Soak { in_a_row, at_once } => forward::run_soak(in_a_row, at_once),
    }
}
