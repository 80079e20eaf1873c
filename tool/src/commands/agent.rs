//! `pfsnoop agent`: `watch` without a screen, for as long as the node runs.

use std::sync::Arc;

use anyhow::{Context as _, Result};
use prometheus_client::registry::Registry;

use super::ignored::note_ignored;
use super::logging::start_logging;
use crate::agent::metrics::{
    MetricsEndpoint, MetricsSink, RuntimeChecks, SessionMetrics, register_process,
};
use crate::agent::store::{Keep, StoreCounters, StoreOptions, StoreSink};
use crate::agent::{Fanout, Health, HealthSink, LogSink, Telemetry, keep_attached};
use crate::attribution::Attribution;
use crate::cli;
use crate::host::privileges::{self, Needs};
use crate::host::{service, shutdown, slice};
use crate::monitor::{Monitor, MonitorOptions};
use crate::output::{self, Sink};
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
    let mut sinks: Vec<Box<dyn Sink>> = vec![Box::<LogSink>::default()];
    if !args.no_store {
        sinks.push(Box::new(store(&args)?));
    }
    let mut telemetry = Telemetry::default();
    serve_metrics(&args, &runtimes, &health, &mut sinks, &mut telemetry)?;
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

/// The store. A file that cannot be written does not keep the agent from watching.
fn store(args: &cli::Agent) -> Result<StoreSink> {
    let keep = Keep { age: args.keep.duration(), bytes: u64::from(args.keep_size.kib()) * 1024 };
    let options = StoreOptions { path: args.store.clone(), keep };
    let counters = Arc::<StoreCounters>::default();
    StoreSink::start(options, counters).context("cannot start the thread that stores sessions")
}

/// Counts what happens, and serves the counts.
fn serve_metrics(
    args: &cli::Agent,
    runtimes: &Runtimes,
    health: &Health,
    sinks: &mut Vec<Box<dyn Sink>>,
    telemetry: &mut Telemetry,
) -> Result<()> {
    if args.no_listen {
        return Ok(());
    }
    let endpoint = MetricsEndpoint::bind(args.listen)?;
    note_listening(&endpoint);
    let mut registry = Registry::default();
    register_process(&mut registry);
    let metrics = SessionMetrics::register(&mut registry, args.max_series);
    let checks = RuntimeChecks::register(&mut registry, runtimes.clone());
    sinks.extend([
        Box::new(MetricsSink(metrics)) as Box<dyn Sink>,
        Box::new(HealthSink(health.clone())),
    ]);
    telemetry.serve(async move { match checks.run().await {} });
    let health = health.clone();
    telemetry.serve(async move {
        if let Err(error) = endpoint.serve(registry, health).await {
            log::warn!("metrics are not served: {error}");
        }
    });
    Ok(())
}

/// Says where the metrics are, and that other machines can read them.
fn note_listening(endpoint: &MetricsEndpoint) {
    let address = endpoint.address();
    output::complain(&format!("metrics are served at http://{address}/metrics"));
    if !address.ip().is_loopback() {
        output::complain(&format!(
            "note: everybody who can reach this node can read the metrics at {address}, with the names \
             of pods"
        ));
    }
}
