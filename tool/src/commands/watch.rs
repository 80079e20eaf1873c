//! `pfsnoop watch`: every port-forward of the node, from any program, as a session.

use anyhow::Result;

use super::ignored::note_ignored;
use super::logging::start_logging;
use super::unknown_owner::note_unknown_owner;
use crate::attribution::Attribution;
use crate::cli;
use crate::host::privileges::{self, Needs};
use crate::host::{clock, shutdown, slice};
use crate::model::{OwnerFilter, Ready, Selection};
use crate::monitor::{self, Limit, Monitor, MonitorOptions};
use crate::output::{self, View};
use crate::runtime::Runtimes;

/// What it still needs once it runs.
pub(super) fn needs(args: &cli::Watch) -> Needs {
    let sockets = Runtimes::from(args.runtimes.clone()).sockets();
    Needs { tracing: true, processes: true, sockets, ..Needs::default() }
}

pub(super) async fn run(args: cli::Watch) -> Result<()> {
    start_logging(args.verbose);
    slice::shorten();
    let token = shutdown::on_signals()?;
    let runtimes = args.runtimes.into();
    note_ignored(&runtimes);
    let attribution = Attribution::with_names(&runtimes);
    let monitor = Monitor::attach(MonitorOptions::all_sessions(args.verbose), attribution)?;
    let owners = OwnerFilter { pod: args.pod, container: None };
    note_unknown_owner(&owners, &runtimes);
    shutdown::after(&token, args.duration);
    let selection = Selection::new(owners, args.port, false);
    let ready = Ready { time_ns: clock::boottime_ns(), command: "watch", has_execs: false };
    let mut sink = output::sink(args.output, View::Sessions);
    privileges::settle_thread();
    monitor::run(monitor, selection, Limit::new(args.count), ready, &mut *sink, &token).await
}
