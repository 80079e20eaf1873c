//! `pfsnoop agent`: `watch` without a screen, for as long as the node runs.

use std::sync::Arc;

use anyhow::{Context as _, Result};
use prometheus_client::registry::Registry;

use super::ignored::note_ignored;
use super::logging::start_logging;
use crate::agent::metrics::{
    MetricsEndpoint, MetricsSink, RuntimeChecks, SessionMetrics, register_process,
};
use crate::agent::otlp::{OtlpMetrics, OtlpOptions, OtlpSink};
use crate::agent::store::{Keep, StoreCounters, StoreOptions, StoreSink};
use crate::agent::{Fanout, Health, HealthSink, LogSink, Telemetry, keep_attached};
use crate::attribution::Attribution;
use crate::cli;
use crate::host::node::node_name;
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

/// Where the updates go, and what runs beside the monitor.
struct Parts {
    sinks: Vec<Box<dyn Sink>>,
    /// Every metric that is served.
    registry: Registry,
    telemetry: Telemetry,
}

pub(super) async fn run(args: cli::Agent) -> Result<()> {
    start_logging(args.verbose);
    slice::shorten();
    let token = shutdown::on_signals()?;
    let runtimes: Runtimes = args.runtimes.clone().into();
    note_ignored(&runtimes);
    let health = Health::new();
    let mut parts = Parts {
        sinks: vec![Box::<LogSink>::default(), Box::new(HealthSink(health.clone()))],
        registry: Registry::default(),
        telemetry: Telemetry::default(),
    };
    if !args.no_store {
        store(&args, &mut parts)?;
    }
    export_sessions(&args, &mut parts)?;
    serve_metrics(&args, &runtimes, &health, &mut parts)?;
    let Parts { sinks, telemetry, .. } = parts;
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

/// Stores sessions. A file that cannot be written does not keep the agent from watching.
fn store(args: &cli::Agent, parts: &mut Parts) -> Result<()> {
    let keep = Keep { age: args.keep.duration(), bytes: u64::from(args.keep_size.kib()) * 1024 };
    let options = StoreOptions { path: args.store.clone(), keep };
    let sink = StoreSink::start(options, Arc::<StoreCounters>::default());
    parts.sinks.push(Box::new(sink.context("cannot start the thread that stores sessions")?));
    Ok(())
}

/// Exports sessions to a collector, if the command line or the environment names one.
fn export_sessions(args: &cli::Agent, parts: &mut Parts) -> Result<()> {
    let read = |name: &str| std::env::var(name).ok();
    let named = args.node_name.clone().or_else(|| read("NODE_NAME"));
    let node = named.filter(|name| !name.is_empty()).unwrap_or_else(node_name);
    let options = OtlpOptions::new(args.otlp.as_ref(), &node, &read)?;
    if options.signals.is_empty() {
        return Ok(());
    }
    let metrics = OtlpMetrics::default();
    metrics.register(&mut parts.registry);
    let (sink, exporters) = OtlpSink::new(options, &metrics)?;
    parts.sinks.push(Box::new(sink));
    for exporter in exporters {
        parts.telemetry.export(|ending| exporter.run(ending));
    }
    Ok(())
}

/// Counts what happens, and serves the counts.
fn serve_metrics(
    args: &cli::Agent,
    runtimes: &Runtimes,
    health: &Health,
    parts: &mut Parts,
) -> Result<()> {
    if args.no_listen {
        return Ok(());
    }
    let endpoint = MetricsEndpoint::bind(args.listen)?;
    note_listening(&endpoint);
    let mut registry = std::mem::take(&mut parts.registry);
    register_process(&mut registry);
    let metrics = SessionMetrics::register(&mut registry, args.max_series);
    let checks = RuntimeChecks::register(&mut registry, runtimes.clone());
    parts.sinks.push(Box::new(MetricsSink(metrics)));
    parts.telemetry.serve(async move { match checks.run().await {} });
    let health = health.clone();
    parts.telemetry.serve(async move {
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
