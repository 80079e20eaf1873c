//! `pfsnoop agent`: `watch` without a screen, for as long as the node runs.

use anyhow::{Context as _, Result};

use super::agent_parts::AgentParts;
use super::ignored::note_ignored;
use super::logging::start_logging;
use crate::agent::{Fanout, Health, keep_attached};
use crate::attribution::Attribution;
use crate::cli;
use crate::host::privileges::{self, Needs};
use crate::host::{service, shutdown, slice};
use crate::monitor::{Monitor, MonitorOptions};
use crate::runtime::Runtimes;

/// What it still needs once it runs.
pub(super) fn needs(args: &cli::Agent) -> Needs {
    let sockets = Runtimes::from(args.runtimes.clone()).sockets();
    Needs { tracing: true, processes: true, sockets, ..Needs::default() }
}

pub(super) async fn run(args: cli::Agent) -> Result<()> {
    start_logging(args.verbose);
    slice::shorten();
    let token = shutdown::on_signals()?;
    let runtimes: Runtimes = args.runtimes.clone().into();
    note_ignored(&runtimes);
    let health = Health::new();
    let mut parts = AgentParts::new(&health);
    parts.store(&args)?;
    parts.export_sessions(&args)?;
    parts.serve_metrics(&args, &runtimes, health.clone())?;
    let AgentParts { sinks, telemetry, .. } = parts;
    let telemetry = telemetry.start().context("cannot start a thread")?;

    let attach = || {
        let attribution = Attribution::with_names(&runtimes);
        Monitor::attach(MonitorOptions::all_sessions_and_helpers(args.verbose), attribution)
    };
    let mut sinks = Fanout::new(sinks);
    let watching = keep_attached(attach, privileges::settle_thread, &mut sinks, &token);
    let ended = tokio::select! {
        ended = watching => ended,
        never = service::feed_watchdog() => match never {},
        never = health.beat() => match never {},
    };
    service::stopping();
    telemetry.end();
    ended
}
