//! The options of `pfsnoop demo`, and of the processes that it starts.

use clap::Args;

/// `pfsnoop demo`
#[derive(Args, Debug)]
#[command(after_help = DEMO_EXAMPLES)]
pub struct Demo {
    /// Let the kubectl in PATH forward to the pod, through an endpoint like that of `pfsnoop serve`
    #[arg(long)]
    pub kubectl: bool,
    /// Keep the pod and the forward until Ctrl-C, for use with a browser
    #[arg(long)]
    pub stay: bool,
    /// Run the nsenter, socat and kubectl that come first in PATH even if other users can replace them
    #[arg(long)]
    pub trust_path: bool,
    /// Print more on stderr, including what the kernel programs log
    #[arg(short, long)]
    pub verbose: bool,
}

const DEMO_EXAMPLES: &str = "\
Examples:
  pfsnoop demo            one request; then the demo removes everything
  pfsnoop demo --stay     keep everything, and open the printed address in a browser
  pfsnoop demo --kubectl  the same request through the real kubectl, and both ends of it
  pfsnoop demo -v         print what the kernel programs log too";

/// `pfsnoop demo-web`
#[derive(Args, Debug)]
pub struct DemoWeb {
    /// Serve in the network namespace of this pause process
    pub pause: u32,
}
