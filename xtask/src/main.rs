//! `cargo xtask`: what cargo alone cannot do for pfsnoop.
//!
//! Every verb first brings the machine to where it can do its work ([`setup`]), so that each of
//! them is one command on a fresh Debian 12 with Rust and a C linker.

mod demo;
mod run;
mod setup;
mod test;

use clap::{Parser, Subcommand};

/// Sets a machine up for pfsnoop, runs its demo and its tests
#[derive(Parser)]
#[command(bin_name = "cargo xtask")]
struct Cli {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Install what building, running and testing need; skips what is there
    Setup,
    /// Set up, build, and run `pfsnoop demo`
    Demo {
        /// Arguments for `pfsnoop demo`, after `--`
        #[arg(last = true)]
        args: Vec<String>,
    },
    /// Set up, build, and run every test (as root)
    Test {
        /// Arguments for `cargo test`, after `--`
        #[arg(last = true)]
        args: Vec<String>,
    },
}

fn main() -> anyhow::Result<()> {
    match Cli::parse().verb {
        Verb::Setup => setup::everything(),
        Verb::Demo { args } => demo::run(&args),
        Verb::Test { args } => test::run(&args),
    }
}
