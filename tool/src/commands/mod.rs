//! One file a verb; each reads as its table of contents.

mod children;
mod demo;
mod doctor;
mod exec;
mod forward;
mod lookout;
mod report;
mod stop;
mod targets;
mod telling;
mod watch;

use anyhow::Context as _;
use tokio::runtime::{Builder, Runtime};

use crate::cli::{Cli, Verb};
use crate::output;
use crate::resolve::FindError;

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

/// One thread for everything; where connections are carried, another for them, so that they go on when
/// what is told of them is not read and stdout stands still.
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
