//! One file a verb; each reads as its table of contents.

mod children;
mod demo;
mod doctor;
mod exec;
mod forward;
mod report;
mod stop;
mod targets;
mod telling;
mod watch;

use anyhow::Context as _;

use crate::cli::{Cli, Verb};
use crate::output;
use crate::resolve::FindError;

/// Runs the command to its end.
pub fn run(cli: Cli) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("cannot start the event loop")?;
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

/// What could not be found, in one line; names and words of the runtimes are in there.
fn harmless(error: FindError) -> anyhow::Error {
    let text = format!("{:#}", anyhow::Error::from(error));
    anyhow::Error::msg(output::escaped(text.as_bytes()))
}

/// Sets up what `-v` shows: our own and the kernel programs' log, on stderr.
fn start_logging(verbose: bool) {
    let level = if verbose { log::LevelFilter::Debug } else { log::LevelFilter::Warn };
    env_logger::Builder::new().filter_level(level).init();
}
