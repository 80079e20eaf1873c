//! The options of `pfsnoop doctor`.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::runtimes::AskRuntimes;
use super::values::seconds;
use crate::agent::store::DEFAULT_STORE;
use crate::output::TextOrJson;
use crate::target::TargetName;

/// `pfsnoop doctor`
#[derive(Args, Debug)]
#[command(after_help = DOCTOR_EXAMPLES)]
pub struct Doctor {
    /// Check this target, named as in `forward`; without a target, check the node
    #[arg(value_name = "TARGET")]
    pub target: Option<TargetName>,
    /// Ports inside the target; without a port, check the first 8 on which something listens
    #[arg(value_name = "PORT", value_parser = clap::value_parser!(u16).range(1..))]
    pub ports: Vec<u16>,
    /// Namespace of the pod [default: default, or podman for a pod of Podman]
    #[arg(short, long, value_name = "NS")]
    pub namespace: Option<String>,
    /// Which runtimes to ask.
    #[command(flatten)]
    pub runtimes: AskRuntimes,
    /// A socat that has moved no bytes for this long counts as left behind; a kubelet also ends a forward
    /// that is idle for 4 hours
    #[arg(long, value_name = "SECS", default_value = "14400", value_parser = seconds)]
    pub idle: Duration,
    /// Where `pfsnoop agent` stores sessions: says how the last forwards to the target ended
    #[arg(long, value_name = "PATH", default_value = DEFAULT_STORE)]
    pub store: PathBuf,
    /// Run the nsenter and socat that come first in PATH even if other users can replace them
    #[arg(long)]
    pub trust_path: bool,
    /// Format of the findings
    #[arg(short, long, value_enum, default_value_t)]
    pub output: TextOrJson,
    /// Print more on stderr
    #[arg(short, long)]
    pub verbose: bool,
}

const DOCTOR_EXAMPLES: &str = "\
Examples:
  pfsnoop doctor                      the node: kernel, runtimes, nsenter, socat, leftovers, limits
  pfsnoop doctor kuard -n shop 8080   the path to port 8080 of this pod, step by step
  pfsnoop doctor -o json | jq -r 'select(.severity == \"fail\").fix'
                                      the commands that fix what fails";
