//! The options of `pfsnoop forward`.

use std::time::Duration;

use clap::Args;

use super::forwarder::ForwarderOptions;
use super::values::seconds_or_zero;
use crate::forward::ListenOn;
use crate::host::user::uid_of;
use crate::model::PortPair;
use crate::target::TargetName;

/// `pfsnoop forward`
#[derive(Args, Debug)]
#[command(after_help = FORWARD_EXAMPLES)]
pub struct Forward {
    /// What to forward to: NAME or pod/NAME, NS/NAME, container/ID-OR-NAME, pid/PID, netns/PATH-OR-NAME
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
    /// How long new connections wait while a named target restarts (0: do not wait)
    #[arg(long, value_name = "SECS", default_value = "30", value_parser = seconds_or_zero)]
    pub wait_restart: Duration,
    /// The forwarder's own options.
    #[command(flatten)]
    pub forwarder: ForwarderOptions,
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
