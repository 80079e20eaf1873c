//! Runs the command that the command line names.

use anyhow::Context as _;
use tokio::runtime::{Builder, Runtime};

use super::{demo, doctor, exec, forward, targets, watch};
use crate::cli::{Cli, Command};

/// Runs the command to its end.
pub fn run(cli: Cli) -> anyhow::Result<()> {
    let runtime = runtime(&cli)?;
    match cli.command.unwrap_or(Command::Exec(cli.exec)) {
        Command::Exec(args) => runtime.block_on(exec::run(args)),
        Command::Forward(args) => runtime.block_on(forward::run(args)),
        Command::Watch(args) => runtime.block_on(watch::run(args)),
        Command::Targets(args) => runtime.block_on(targets::run(args)),
        Command::Doctor(args) => runtime.block_on(doctor::run(args)),
        Command::Demo(args) => runtime.block_on(demo::run(args)),
        Command::DemoPause => crate::demo::pause::run(),
        Command::DemoWeb(args) => runtime.block_on(crate::demo::web::run(args.pause)),
    }
}

/// One thread for everything. Commands that relay connections have another one for that, so that
/// connections continue while stdout is blocked.
fn runtime(cli: &Cli) -> anyhow::Result<Runtime> {
    let mut builder = match cli.command {
        Some(Command::Forward(_) | Command::Demo(_)) => {
            let mut builder = Builder::new_multi_thread();
            builder.worker_threads(1).thread_name("forward");
            builder
        }
        _ => Builder::new_current_thread(),
    };
    builder.enable_all().build().context("cannot start the event loop")
}
