//! The options of `pfsnoop demo`, and of what it starts.

use clap::Args;

/// `pfsnoop demo`
#[derive(Args, Debug)]
#[command(after_help = DEMO_EXAMPLES)]
pub struct Demo {
    /// Keep the pod and the forward up, for a browser, until Ctrl-C
    #[arg(long)]
    pub stay: bool,
    /// Say more on stderr, also what the kernel programs log
    #[arg(short, long)]
    pub verbose: bool,
}

const DEMO_EXAMPLES: &str = "\
Examples:
  pfsnoop demo            one request, then everything is gone again
  pfsnoop demo --stay     keeps it up; open the address that it prints in a browser
  pfsnoop demo -v         also what the kernel programs log";

/// `pfsnoop demo-web`
#[derive(Args, Debug)]
pub struct DemoWeb {
    /// The pause process whose network namespace to serve in
    pub pause: u32,
}
