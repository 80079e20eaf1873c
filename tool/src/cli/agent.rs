//! The options of `pfsnoop agent`.

use clap::Args;

use super::runtimes::AskRuntimes;

/// `pfsnoop agent`
#[derive(Args, Debug)]
#[command(after_help = AGENT_EXAMPLES)]
pub struct Agent {
    /// Which runtimes to ask for names.
    #[command(flatten)]
    pub runtimes: AskRuntimes,
    /// Print more on stderr, including what the kernel programs log
    #[arg(short, long)]
    pub verbose: bool,
}

const AGENT_EXAMPLES: &str = "\
Examples:
  pfsnoop agent                      log each session that fails, to stderr
  pfsnoop agent --runtime docker     ask only Docker for the names of pods and containers
  pfsnoop agent -v 2>> agent.log     with details of the agent's own work";
