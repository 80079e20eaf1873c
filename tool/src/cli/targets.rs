//! The options of `pfsnoop targets`.

use clap::Args;

use super::runtimes::AskRuntimes;
use crate::output::TextOrJson;

/// `pfsnoop targets`
#[derive(Args, Debug)]
#[command(after_help = TARGETS_EXAMPLES)]
pub struct Targets {
    /// Lookup to ask
    #[command(flatten)]
    pub runtimes: AskRuntimes,
    /// Format of the list
    #[arg(short, long, value_enum, default_value_t)]
    pub output: TextOrJson,
    /// Say more on stderr
    #[arg(short, long)]
    pub verbose: bool,
}

const TARGETS_EXAMPLES: &str = "\
Examples:
  pfsnoop targets                  everything that the runtimes of this node have
  pfsnoop targets --runtime cri    what containerd and CRI-O have
  pfsnoop targets -o json | jq -r 'select(any(.listeners[]; .port == 8080)).name'
                                   who serves port 8080";
