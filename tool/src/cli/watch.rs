//! The options of `pfsnoop watch`.

use std::time::Duration;

use clap::Args;

use super::runtimes::AskRuntimes;
use super::values::{at_least_1, seconds};
use crate::model::PodName;
use crate::output::TextOrJson;

/// `pfsnoop watch`
#[derive(Args, Debug)]
#[command(after_help = WATCH_EXAMPLES)]
pub struct Watch {
    /// Show only sessions into this pod
    #[arg(long, value_name = "[NS/]NAME")]
    pub pod: Option<PodName>,
    /// Show only sessions to this port of the target
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..))]
    pub port: Option<u16>,
    /// Exit after this many seconds
    #[arg(long, value_name = "SECS", value_parser = seconds)]
    pub duration: Option<Duration>,
    /// Exit after N sessions have ended
    #[arg(long, value_name = "N", value_parser = at_least_1::<u64>)]
    pub count: Option<u64>,
    /// Which runtimes to ask for names.
    #[command(flatten)]
    pub runtimes: AskRuntimes,
    /// Format of the output
    #[arg(short, long, value_enum, default_value_t)]
    pub output: TextOrJson,
    /// Print more on stderr, including what the kernel programs log
    #[arg(short, long)]
    pub verbose: bool,
}

const WATCH_EXAMPLES: &str = "\
Examples:
  pfsnoop watch                              every session; live on a terminal, rows in a pipe
  pfsnoop watch --pod shop/kuard --port 80   only sessions to one port of one pod
  pfsnoop watch --duration 60 -o json | jq -r 'select(.outcome and .outcome != \"ok\").reason'
                                             why sessions failed within a minute";
