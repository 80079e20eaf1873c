//! Runs the command that the command line names.

use anyhow::Context as _;
use tokio::runtime::{Builder, Runtime};

use super::{agent, demo, doctor, exec, forward, history, serve, targets, watch};
use crate::cli::{Cli, Command};
use crate::host::clock;
use crate::host::limits::{self, FILES_TO_FORWARD, FILES_TO_LOOK, TooFew};
use crate::host::privileges::{self, Needs};
use crate::output;

/// Runs the command to its end.
pub fn run(cli: Cli) -> anyhow::Result<()> {
    let command = cli.command.unwrap_or(Command::Exec(cli.exec));
    check_limits(&command)?;
    clock::prepare();
    privileges::begin(&needs(&command)).context("cannot give up privileges")?;
    let runtime = runtime(&command)?;
    match command {
        Command::Exec(args) => while_read(runtime, exec::run(args)),
        Command::Forward(args) => while_read(runtime, forward::run(args)),
        Command::Serve(args) => while_read(runtime, serve::run(args)),
        Command::Watch(args) => while_read(runtime, watch::run(args)),
        // It prints nothing to stdout, so that nobody has to read it.
        Command::Agent(args) => runtime.block_on(agent::run(args)),
        Command::History(args) => while_read(runtime, history::run(args)),
        Command::Targets(args) => while_read(runtime, targets::run(args)),
        Command::Doctor(args) => while_read(runtime, doctor::run(args)),
        Command::Demo(args) => while_read(runtime, demo::run(args)),
        Command::DoctorInspector => {
            privileges::settle_thread();
            Ok(crate::doctor::facts::inspector::serve()?)
        }
        Command::DemoPause => crate::demo::pause::run(),
        Command::DemoWeb(args) => runtime.block_on(crate::demo::web::run(args.pause)),
    }
}

/// An error if the command could not even start.
fn check_limits(command: &Command) -> Result<(), TooFew> {
    let files = match command {
        Command::Forward(_) | Command::Serve(_) => {
            limits::raise_open_files();
            FILES_TO_FORWARD
        }
        Command::Demo(_) => FILES_TO_FORWARD,
        _ => FILES_TO_LOOK,
    };
    limits::check(files)
}

/// What the command still needs once it is set up.
fn needs(command: &Command) -> Needs {
    match command {
        Command::Exec(args) => exec::needs(args),
        Command::Forward(args) => forward::needs(args),
        Command::Serve(args) => serve::needs(args),
        Command::Watch(args) => watch::needs(args),
        Command::Agent(args) => agent::needs(args),
        Command::History(_) => history::needs(),
        Command::Targets(args) => targets::needs(args),
        Command::Doctor(args) => doctor::needs(args),
        Command::Demo(_) => demo::needs(),
        Command::DoctorInspector => Needs { processes: true, ..Needs::default() },
        Command::DemoPause | Command::DemoWeb(_) => Needs::default(),
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
fn runtime(command: &Command) -> anyhow::Result<Runtime> {
    let mut builder = match command {
        Command::Forward(_) | Command::Serve(_) | Command::Demo(_) => {
            let mut builder = Builder::new_multi_thread();
            builder.worker_threads(1).thread_name("forward");
            builder
        }
        _ => Builder::new_current_thread(),
    };
    builder.on_thread_start(privileges::settle_thread);
    builder.enable_all().build().context("cannot start the event loop")
}
