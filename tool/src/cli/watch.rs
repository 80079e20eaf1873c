//! The options of `pfsnoop watch`.

use std::time::Duration;

use clap::Args;

use super::runtimes::AskRuntimes;
use super::values::seconds;
use crate::model::PodName;
use crate::output::TextOrJson;

/// `pfsnoop watch`
#[derive(Args, Debug)]
#[command(after_help = WATCH_EXAMPLES)]
pub struct Watch {
    /// Only sessions into this pod; names are as the node's runtime and kubelet have them
    #[arg(long, value_name = "[NS/]NAME")]
    pub pod: Option<PodName>,
    /// Only sessions to this port of the target
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..))]
    pub port: Option<u16>,
    /// End after so many seconds
    #[arg(long, value_name = "SECS", value_parser = seconds)]
    pub duration: Option<Duration>,
    /// End after so many sessions are over
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub count: Option<u64>,
    /// Lookup to ask about names
    #[command(flatten)]
    pub runtimes: AskRuntimes,
    /// Format of what is told
    #[arg(short, long, value_enum, default_value_t)]
    pub output: TextOrJson,
    /// Say more on stderr, also what the kernel programs log
    #[arg(short, long)]
    pub verbose: bool,
}

const WATCH_EXAMPLES: &str = "\
Examples:
  pfsnoop watch                              every port-forward, live on a terminal, as rows in a pipe
  pfsnoop watch --pod shop/kuard --port 80   those to one port of one pod
  pfsnoop watch --duration 60 -o json | jq -c 'select(.outcome and .outcome != \"ok\") | [.outcome, .reason]'
                                             what failed in a minute, and why";
