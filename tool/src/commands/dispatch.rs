//! Runs the command that the command line names.

use anyhow::Context as _;
use tokio::runtime::{Builder, Runtime};

use super::{demo, doctor, exec, forward, targets, watch};
use crate::cli::{Cli, Command};
use crate::output;

/// Runs the command to its end.
pub fn run(cli: Cli) -> anyhow::Result<()> {
    let runtime = runtime(&cli)?;
    match cli.command.unwrap_or(Command::Exec(cli.exec)) {
        Command::Exec(args) => while_read(runtime, exec::run(args)),
        Command::Forward(args) => while_read(runtime, forward::run(args)),
        Command::Watch(args) => while_read(runtime, watch::run(args)),
        Command::Targets(args) => while_read(runtime, targets::run(args)),
        Command::Doctor(args) => while_read(runtime, doctor::run(args)),
        Command::Demo(args) => while_read(runtime, demo::run(args)),
        Command::DoctorInspector => Ok(crate::doctor::facts::inspector::serve()?),
        Command::DemoPause => crate::demo::pause::run(),
        Command::DemoWeb(args) => runtime.block_on(crate::demo::web::run(args.pause)),
    }
}

/// Runs a command until it ends, or nobody can read stdout any more.
fn while_read(
    runtime: Runtime,
    command: impl Future<Output = anyhow::Result<()>>,
) -> anyhow::Result<()> {
    let result = runtime.block_on(async {
        tokio::select! {
            biased;
            result = command => Some(result),
            () = output::stdout_closed() => None,
        }
    });
    result.unwrap_or_else(|| {
        // Nothing that blocks a thread delays the end.
        runtime.shutdown_background();
        Ok(())
    })
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
