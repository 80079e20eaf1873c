//! The options of `pfsnoop targets`.

use clap::Args;

use super::runtimes::AskRuntimes;
use crate::output::TextOrJson;

/// `pfsnoop targets`
#[derive(Args, Debug)]
#[command(after_help = TARGETS_EXAMPLES)]
pub struct Targets {
    /// Which runtimes to ask.
    #[command(flatten)]
    pub runtimes: AskRuntimes,
    /// Format of the list
    #[arg(short, long, value_enum, default_value_t)]
    pub output: TextOrJson,
    /// Print more on stderr
    #[arg(short, long)]
    pub verbose: bool,
}

const TARGETS_EXAMPLES: &str = "\
Examples:
  pfsnoop targets                  all pods and containers of this node
  pfsnoop targets --runtime cri    only pods and containers of containerd and CRI-O
  pfsnoop targets -o json | jq -r 'select(any(.listeners[]; .port == 8080)).name'
                                   names of the targets that listen on port 8080";
