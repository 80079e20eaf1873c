//! The options of every command that forwards: `forward` and `serve`.

use std::time::Duration;

use clap::{Args, ValueEnum};

use super::runtimes::AskRuntimes;
use super::size::Size;
use super::values::{at_least_1, seconds};
use crate::forward::{Limits, TooSmall};
use crate::output::TextOrJson;

/// How to connect, how much at once, and what to print.
#[derive(Args, Debug)]
pub struct ForwarderOptions {
    /// How to connect inside the target
    #[arg(long, value_enum, default_value_t)]
    pub dialer: DialerChoice,
    /// Run the nsenter and socat that come first in PATH even if other users can replace them
    #[arg(long)]
    pub trust_path: bool,
    /// How long connecting inside the target may take; by default as long as TCP itself tries
    #[arg(long, value_name = "SECS", value_parser = seconds)]
    pub connect_timeout: Option<Duration>,
    /// Which runtimes to ask.
    #[command(flatten)]
    pub runtimes: AskRuntimes,
    /// How many connections may be open at once; further connections are turned away [default: 4096, or fewer
    /// if half of --max-buffer is too small]
    #[arg(long, value_name = "N", value_parser = at_least_1::<u32>)]
    pub max_connections: Option<u32>,
    /// How much kernel memory the pipes and socket buffers of all connections may take (384K each, more for
    /// streams) [default: an eighth of the node's memory]
    #[arg(long, value_name = "SIZE")]
    pub max_buffer: Option<Size>,
    /// Do not load kernel programs (works without BTF); outcomes then come from the forwarder alone
    #[arg(long)]
    pub no_watch: bool,
    /// Format of the output
    #[arg(short, long, value_enum, default_value_t)]
    pub output: TextOrJson,
    /// Print more on stderr, including what the kernel programs log
    #[arg(short, long)]
    pub verbose: bool,
}

impl ForwarderOptions {
    /// The limits of the forwarder.
    pub fn limits(&self) -> Result<Limits, TooSmall> {
        Limits::new(self.max_connections, self.max_buffer.map(Size::kib), !self.no_watch)
    }
}

/// What `--dialer` takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum DialerChoice {
    /// nsenter and socat if the node has both and the target has a process, else native
    #[default]
    Auto,
    /// `nsenter -t PID -n socat - TCP4:localhost:PORT`, as a kubelet does
    Nsenter,
    /// A socket made inside the network namespace, without helpers
    Native,
}
