//! `cargo xtask`: what cargo alone cannot do for pfsnoop.
//!
//! Each verb first installs what it needs ([`setup`]), so that one command is enough on a fresh
//! Debian 12 with Rust and a C linker.

#![expect(
    clippy::print_stderr,
    reason = "a development tool may panic when nobody reads its stderr"
)]

mod article;
mod bench;
mod cgroups;
mod demo;
mod dist;
mod fuzz;
mod guard;
mod run;
mod screenshots;
mod setup;
mod test;

use std::process::ExitCode;

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
    /// Install what building, running, testing and checking need; skips what is already there
    Setup,
    /// Set up, build, and run `pfsnoop demo`
    Demo {
        /// Arguments for `pfsnoop demo`, after `--`
        #[arg(last = true)]
        args: Vec<String>,
    },
    /// Measure pfsnoop and comparable programs in one run
    Bench {
        #[command(subcommand)]
        bench: bench::Bench,
    },
    /// Build the static binary, man pages, completions, a Debian package, and a container image
    Dist,
    /// Set up, build, and take the pictures of the documentation from real runs (as root)
    Screenshots,
    /// Build a kubelet with dockershim, forward to its pod with kubectl, and show what execsnoop and
    /// pfsnoop see; writes docs/article.md (as root)
    Article,
    /// The part of `article` that runs inside its separate node
    #[command(hide = true)]
    ArticleInside { cgroup: String },
    /// Run a program COUNT times, for the benchmarks to trace
    #[command(hide = true)]
    Storm {
        count: u32,
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        command: Vec<String>,
    },
    /// Be a client of the benchmarks' web server
    #[command(hide = true)]
    Client {
        port: u16,
        #[command(subcommand)]
        load: bench::Load,
    },
    /// Be a small web server for the benchmarks
    #[command(hide = true)]
    Serve { port: u16 },
    /// The part of `bench serve` that runs inside its separate node
    #[command(hide = true)]
    BenchServeInside { cgroup: String, rounds: usize },
    /// Be the API server of a pod of containerd, for `bench serve`
    #[command(hide = true)]
    ApiStub(bench::ApiStub),
    /// Run the fuzz targets of tool/fuzz
    Fuzz {
        /// Targets; without any, all of them
        targets: Vec<String>,
        /// Inputs for each target
        #[arg(long, default_value_t = 1_000_000)]
        runs: u64,
    },
    /// Set up, build, and run the tests (as root)
    Test {
        /// Leave out virtual machines, and all but one version of each container runtime
        #[arg(long, conflicts_with = "all")]
        quick: bool,
        /// Run the tests that wait for minutes too
        #[arg(long)]
        all: bool,
        /// Arguments for `cargo test`, after `--`
        #[arg(last = true)]
        args: Vec<String>,
    },
}

fn main() -> ExitCode {
    match run(Cli::parse().verb) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(verb: Verb) -> anyhow::Result<()> {
    match verb {
        Verb::Setup => setup::to_check(),
        Verb::Demo { args } => demo::run(&args),
        Verb::Bench { bench } => bench::run(&bench),
        Verb::Storm { count, command } => bench::run_storm(count, &command),
        Verb::Client { port, load } => bench::run_client(port, &load),
        Verb::Serve { port } => bench::run_serve(port),
        Verb::BenchServeInside { cgroup, rounds } => bench::run_serve_inside(&cgroup, rounds),
        Verb::ApiStub(stub) => bench::run_api_stub(&stub),
        Verb::Dist => dist::run(),
        Verb::Article => article::run(),
        Verb::ArticleInside { cgroup } => article::run_inside(&cgroup),
        Verb::Fuzz { targets, runs } => fuzz::run(&targets, runs),
        Verb::Screenshots => screenshots::run(),
        Verb::Test { quick, all, args } => {
            let tier = match (quick, all) {
                (true, _) => test::Tier::Quick,
                (false, true) => test::Tier::All,
                (false, false) => test::Tier::Default,
            };
            test::run(tier, &args)
        }
    }
}
