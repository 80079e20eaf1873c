//! The options of `pfsnoop serve`.

use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::forwarder::ForwarderOptions;
use crate::serve::{OnFailure, PodPattern};

/// `pfsnoop serve`
#[derive(Args, Debug)]
#[command(after_help = SERVE_EXAMPLES)]
pub struct Serve {
    /// Where to write the kubeconfig, which has the only token that the endpoint takes; it is removed at the end
    #[arg(long, value_name = "PATH", default_value = "/run/pfsnoop/kubeconfig")]
    pub kubeconfig: PathBuf,
    /// The address to listen on
    #[arg(long, value_name = "A", default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST))]
    pub address: IpAddr,
    /// The port to listen on; 0 for any free port
    #[arg(long, value_name = "N", default_value_t = 6443)]
    pub port: u16,
    /// Show and reach only these pods, as in shop/kuard-*; repeatable
    #[arg(long, value_name = "NS/POD-GLOB")]
    pub allow: Vec<PodPattern>,
    /// What a client learns when a port cannot be reached
    #[arg(long, value_enum, default_value_t)]
    pub on_failure: FailureChoice,
    /// The forwarder's own options.
    #[command(flatten)]
    pub forwarder: ForwarderOptions,
}

const SERVE_EXAMPLES: &str = "\
Examples:
  pfsnoop serve                                    then, in another shell:
    export KUBECONFIG=/run/pfsnoop/kubeconfig
    kubectl get pods -A
    kubectl port-forward -n shop pod/kuard 8080:8080
  pfsnoop serve --allow 'shop/kuard-*'             only these pods
  pfsnoop serve --dialer native                    without nsenter and socat
  pfsnoop serve --on-failure keep                  a refused port does not end kubectl
  pfsnoop serve --port 0 -o json > records         any free port; each connection as JSON records";

/// What `--on-failure` takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum FailureChoice {
    /// The error, as a kubelet words it; kubectl then ends its whole session
    #[default]
    Report,
    /// Only the end of that connection; kubectl continues, and the reason is printed here
    Keep,
}

impl From<FailureChoice> for OnFailure {
    fn from(choice: FailureChoice) -> Self {
        match choice {
            FailureChoice::Report => Self::Report,
            FailureChoice::Keep => Self::Keep,
        }
    }
}
