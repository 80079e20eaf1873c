//! Metrics of this process, by the names that Prometheus' client libraries use.

use std::fmt::Error;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeLabelSet, EncodeMetric};
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::{ConstGauge, Gauge};
use prometheus_client::registry::Registry;

use crate::host::own_usage::OwnUsage;

/// Registers the metrics of this process, and the version.
pub fn register_process(registry: &mut Registry) {
    let build = Family::<BuildLabels, Gauge>::default();
    build.get_or_create(&BuildLabels { version: env!("CARGO_PKG_VERSION") }).set(1);
    registry.register("pfsnoop_build_info", "The version; the value is always 1", build);
    let start_seconds = OwnUsage::now().start_seconds;
    registry.register_collector(Box::new(ProcessCollector { start_seconds }));
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct BuildLabels {
    version: &'static str,
}

/// Reads what this process uses at each scrape.
#[derive(Debug)]
struct ProcessCollector {
    /// Computed once: another computation may differ in the last digits, and look like a restart.
    start_seconds: Option<f64>,
}

impl Collector for ProcessCollector {
    fn encode(&self, mut encoder: DescriptorEncoder) -> Result<(), Error> {
        let usage = OwnUsage::now();
        let mut add = |name, help, metric: &dyn EncodeMetric| {
            metric.encode(encoder.encode_descriptor(name, help, None, metric.metric_type())?)
        };
        if let Some(seconds) = usage.cpu_seconds {
            let help = "CPU time of this process, in seconds.";
            add("process_cpu_seconds", help, &ConstCounter::new(seconds))?;
        }
        let gauges = [
            (
                "process_resident_memory_bytes",
                "Resident memory of this process, in bytes.",
                usage.resident_bytes,
            ),
            (
                "process_virtual_memory_bytes",
                "Virtual memory of this process, in bytes.",
                usage.virtual_bytes,
            ),
            ("process_open_fds", "Open file descriptors of this process.", usage.open_files),
            ("process_max_fds", "How many file descriptors may be open.", usage.max_files),
        ];
        for (name, help, value) in gauges {
            if let Some(value) = value {
                add(name, help, &ConstGauge::new(value))?;
            }
        }
        match self.start_seconds {
            Some(seconds) => {
                let help = "Start of this process, in seconds since 1970-01-01 UTC.";
                add("process_start_time_seconds", help, &ConstGauge::new(seconds))
            }
            None => Ok(()),
        }
    }
}
