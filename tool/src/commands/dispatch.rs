//! Runs the command that the command line names.

use anyhow::Context as _;
use tokio::runtime::{Builder, Runtime};

use super::{demo, doctor, exec, forward, targets, watch};
use crate::cli::{Cli, Verb};
use crate::output;
use crate::target::FindError;

/// Runs the command to its end.
pub fn run(cli: Cli) -> anyhow::Result<()> {
    let runtime = runtime(&cli)?;
    match cli.verb.unwrap_or(Verb::Exec(cli.exec)) {
        Verb::Exec(args) => runtime.block_on(exec::run(args)),
        Verb::Forward(args) => runtime.block_on(forward::run(args)),
        Verb::Watch(args) => runtime.block_on(watch::run(args)),
        Verb::Targets(args) => runtime.block_on(targets::run(args)),
        Verb::Doctor(args) => runtime.block_on(doctor::run(args)),
        Verb::Demo(args) => runtime.block_on(demo::run(args)),
        Verb::DemoPause => crate::demo::pause::run(),
        Verb::DemoWeb(args) => runtime.block_on(crate::demo::web::run(args.pause)),
    }
}

/// One thread for everything. Commands that relay connections have another one for that, so that
/// connections go on while stdout is blocked.
fn runtime(cli: &Cli) -> anyhow::Result<Runtime> {
    let mut builder = match cli.verb {
        Some(Verb::Forward(_) | Verb::Demo(_)) => {
            let mut builder = Builder::new_multi_thread();
            builder.worker_threads(1).thread_name("forward");
            builder
        }
        _ => Builder::new_current_thread(),
    };
    builder.enable_all().build().context("cannot start the event loop")
}

/// Why a target was not found, in one line that is safe for a terminal: it quotes runtimes.
pub(super) fn escaped(error: FindError) -> anyhow::Error {
    let text = format!("{:#}", anyhow::Error::from(error));
    anyhow::Error::msg(output::escaped(text.as_bytes()))
}

/// Sets up what `-v` shows on stderr: pfsnoop's own log and that of the kernel programs.
pub(super) fn start_logging(verbose: bool) {
    let level = if verbose { log::LevelFilter::Debug } else { log::LevelFilter::Warn };
    env_logger::Builder::new().filter_level(level).init();
}
