//! What an agent consists of beside its monitor.

use std::sync::Arc;

use anyhow::{Context as _, Result};
use prometheus_client::registry::Registry;

use crate::agent::metrics::{
    MetricsEndpoint, MetricsSink, RuntimeChecks, SessionMetrics, register_process, register_store,
};
use crate::agent::otlp::{OtlpMetrics, OtlpOptions, OtlpSink};
use crate::agent::store::{Keep, StoreCounters, StoreOptions, StoreSink};
use crate::agent::{Health, HealthSink, LogSink, Telemetry};
use crate::cli;
use crate::host::node::node_name;
use crate::output::{self, Sink};
use crate::runtime::Runtimes;

/// Where the updates go, and what runs beside the monitor.
pub(super) struct AgentParts {
    pub(super) sinks: Vec<Box<dyn Sink>>,
    pub(super) telemetry: Telemetry,
    /// Every metric that is served.
    registry: Registry,
}

impl AgentParts {
    /// The log alone, and what probes ask.
    pub(super) fn new(health: &Health) -> Self {
        Self {
            sinks: vec![Box::<LogSink>::default(), Box::new(HealthSink(health.clone()))],
            telemetry: Telemetry::default(),
            registry: Registry::default(),
        }
    }

    /// Stores sessions. A file that cannot be written does not keep the agent from watching.
    pub(super) fn store(&mut self, args: &cli::Agent) -> Result<()> {
        if args.no_store {
            return Ok(());
        }
        let keep =
            Keep { age: args.keep.duration(), bytes: u64::from(args.keep_size.kib()) * 1024 };
        let options = StoreOptions { path: args.store.clone(), keep };
        let counters = Arc::<StoreCounters>::default();
        register_store(&mut self.registry, Arc::clone(&counters));
        let sink = StoreSink::start(options, counters);
        self.sinks.push(Box::new(sink.context("cannot start the thread that stores sessions")?));
        Ok(())
    }

    /// Exports sessions to a collector, if the command line or the environment names one.
    pub(super) fn export_sessions(&mut self, args: &cli::Agent) -> Result<()> {
        let read = |name: &str| std::env::var(name).ok();
        let named = args.node_name.clone().or_else(|| read("NODE_NAME"));
        let node = named.filter(|name| !name.is_empty()).unwrap_or_else(node_name);
        let options = OtlpOptions::new(args.otlp.as_ref(), &node, &read)?;
        if options.signals.is_empty() {
            return Ok(());
        }
        let metrics = OtlpMetrics::default();
        metrics.register(&mut self.registry);
        let (sink, exporters) = OtlpSink::new(options, &metrics)?;
        self.sinks.push(Box::new(sink));
        for exporter in exporters {
            self.telemetry.export(|ending| exporter.run(ending));
        }
        Ok(())
    }

    /// Counts what happens, and serves the counts, with those of every part that was added before.
    pub(super) fn serve_metrics(
        &mut self,
        args: &cli::Agent,
        runtimes: &Runtimes,
        health: Health,
    ) -> Result<()> {
        if args.no_listen {
            return Ok(());
        }
        let endpoint = MetricsEndpoint::bind(args.listen)?;
        note_listening(&endpoint);
        let mut registry = std::mem::take(&mut self.registry);
        register_process(&mut registry);
        let metrics = SessionMetrics::register(&mut registry, args.max_series);
        let checks = RuntimeChecks::register(&mut registry, runtimes.clone());
        self.sinks.push(Box::new(MetricsSink(metrics)));
        self.telemetry.serve(async move { match checks.run().await {} });
        self.telemetry.serve(async move {
            if let Err(error) = endpoint.serve(registry, health).await {
                log::warn!("metrics are not served: {error}");
            }
        });
        Ok(())
    }
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
