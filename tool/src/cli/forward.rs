//! The options of `pfsnoop forward`.

use std::time::Duration;

use clap::{Args, ValueEnum};

use super::runtimes::AskRuntimes;
use super::size::Size;
use super::values::{seconds, seconds_or_zero};
use crate::forward::{Limits, ListenOn, TooSmall};
use crate::host::user::uid_of;
use crate::model::PortPair;
use crate::output::TextOrJson;
use crate::target::TargetName;

/// `pfsnoop forward`
#[derive(Args, Debug)]
#[command(after_help = FORWARD_EXAMPLES)]
pub struct Forward {
    /// What to forward to: NAME or pod/NAME, NS/NAME, container/ID-OR-NAME, pid/PID, netns/PATH
    #[arg(value_name = "TARGET")]
    pub target: TargetName,
    /// Ports: REMOTE, LOCAL:REMOTE, or :REMOTE for a free local port
    #[arg(value_name = "[LOCAL:]REMOTE", required = true)]
    pub ports: Vec<PortPair>,
    /// Namespace of the pod [default: default, or podman for a pod of Podman]
    #[arg(short, long, value_name = "NS")]
    pub namespace: Option<String>,
    /// Where to listen: addresses of this node, or localhost (127.0.0.1 and ::1)
    #[arg(long, value_name = "A[,A]", value_delimiter = ',', default_value = "localhost")]
    pub address: Vec<ListenOn>,
    /// Serve only clients of these users of this node, by number or by name; without this option, any local
    /// user can use the forward
    #[arg(long, value_name = "UID[,UID]", value_delimiter = ',', value_parser = uid_of)]
    pub allow_uid: Vec<u32>,
    /// How to connect inside the target
    #[arg(long, value_enum, default_value_t)]
    pub dialer: DialerChoice,
    /// Run the nsenter and socat that come first in PATH even if other users can replace them
    #[arg(long)]
    pub trust_path: bool,
    /// How long connecting inside the target may take; by default as long as TCP itself tries
    #[arg(long, value_name = "SECS", value_parser = seconds)]
    pub connect_timeout: Option<Duration>,
    /// How long new connections wait while a named target restarts (0: do not wait)
    #[arg(long, value_name = "SECS", default_value = "30", value_parser = seconds_or_zero)]
    pub wait_restart: Duration,
    /// Which runtimes to ask.
    #[command(flatten)]
    pub runtimes: AskRuntimes,
    /// How many connections may be open at once; further connections are turned away [default: 4096, or fewer
    /// if half of --max-buffer is too small]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
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

impl Forward {
    /// The limits of the forwarder.
    pub fn limits(&self) -> Result<Limits, TooSmall> {
        Limits::new(self.max_connections, self.max_buffer.map(Size::kib), !self.no_watch)
    }
}

const FORWARD_EXAMPLES: &str = "\
Examples:
  pfsnoop forward kuard -n shop 8080:80            a pod of this node, by name
  pfsnoop forward container/web :80                a container; the first line has the local port
  pfsnoop forward kuard 80 --address 0.0.0.0       reachable from other machines
  pfsnoop forward kuard 8080 --allow-uid alice     for processes of alice only
  pfsnoop forward pid/4947 8080 --dialer native    without nsenter and socat
  pfsnoop forward kuard :80 -o json > records      each connection as JSON records
  pfsnoop forward kuard 8080 --runtime-endpoint unix:///run/k3s/containerd/containerd.sock
                                                   a pod of this runtime only";

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
