//! `cargo xtask bench`: measures pfsnoop and comparable programs in one run, with ratios.

mod agent;
mod bpf;
mod clock;
mod cost;
mod forward;
mod latency;
mod netns;
mod serve;
mod stats;
mod storm;
mod table;
mod trace;
mod tracer;
mod usage;
mod watch;

use anyhow::Result;
use clap::Subcommand;

pub(crate) use forward::client::{Load, run as run_client};
pub(crate) use forward::{Pod, run_serve};
pub(crate) use serve::{ApiStub, run_api_stub, run_inside as run_serve_inside};
pub(crate) use storm::run as run_storm;
pub(crate) use tracer::{Running, Tracer};

/// What can be measured.
#[derive(Subcommand)]
pub(crate) enum Bench {
    /// The exec tracer beside libbpf-tools' execsnoop and bpftrace's execsnoop.bt
    Trace {
        /// Execs in each storm
        #[arg(long, default_value_t = 3000)]
        execs: u32,
        /// Repeats each storm and each start this often; the table shows medians
        #[arg(long, default_value_t = 5)]
        rounds: usize,
    },
    /// Thousands of connections by each dialer, and what they leave behind in the forwarder
    Soak {
        /// Connections, one after another
        #[arg(long, default_value_t = 10_000)]
        in_a_row: u32,
        /// Connections, at the same time
        #[arg(long, default_value_t = 300)]
        at_once: u32,
    },
    /// `pfsnoop watch`: what it costs ordinary connections and execs, and its memory and latency
    Watch {
        /// Sessions before its memory is measured
        #[arg(long, default_value_t = 100_000)]
        sessions: u32,
    },
    /// Both dialers beside a chain of socat and nsenter, and beside no forwarder
    Forward {
        /// Repeats each measurement this often; the table shows medians
        #[arg(long, default_value_t = 5)]
        rounds: usize,
    },
    /// `pfsnoop agent` and `pfsnoop history`: the store's rate, size and queries, memory, idle CPU
    Agent {
        /// Sessions in the store that `history` reads
        #[arg(long, default_value_t = 1_000_000)]
        sessions: u64,
        /// Repeats each `history` this often; the table shows medians
        #[arg(long, default_value_t = 5)]
        rounds: usize,
    },
    /// kubectl through `pfsnoop serve`, beside kubectl through containerd's own streaming server
    Serve {
        /// Repeats each measurement this often; the table shows medians
        #[arg(long, default_value_t = 5)]
        rounds: usize,
    },
}

/// Runs one benchmark.
pub(crate) fn run(bench: &Bench) -> Result<()> {
    match *bench {
        Bench::Trace { execs, rounds } => trace::run(execs, rounds),
        Bench::Watch { sessions } => watch::run(sessions),
        Bench::Forward { rounds } => forward::run(rounds),
        Bench::Agent { sessions, rounds } => agent::run(sessions, rounds),
        Bench::Serve { rounds } => serve::run(rounds),
        Bench::Soak { in_a_row, at_once } => forward::run_soak(in_a_row, at_once),
    }
}
