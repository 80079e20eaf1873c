//! Metrics of the store.

use std::fmt::Error;
use std::sync::Arc;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Registry;

use crate::agent::store::StoreCounters;

/// Registers the metrics of the store. It counts by itself, and is read at each scrape.
pub fn register_store(registry: &mut Registry, counters: Arc<StoreCounters>) {
    registry.register_collector(Box::new(StoreCollector(counters)));
}

#[derive(Debug)]
struct StoreCollector(Arc<StoreCounters>);

impl Collector for StoreCollector {
    fn encode(&self, mut encoder: DescriptorEncoder) -> Result<(), Error> {
        let Self(store) = self;
        let mut add = |name, help, metric: &dyn EncodeMetric| {
            metric.encode(encoder.encode_descriptor(name, help, None, metric.metric_type())?)
        };
        let help = "Records of sessions that were stored; a session has one for each of its states";
        add("pfsnoop_store_records", help, &ConstCounter::new(store.stored()))?;
        let help = "Records of sessions that were given up, because the store could not be written";
        add("pfsnoop_store_dropped", help, &ConstCounter::new(store.dropped()))?;
        let help = "Whether the last attempt to store has succeeded: 1, or 0";
        add("pfsnoop_store_healthy", help, &ConstGauge::new(u64::from(store.is_healthy())))?;
        let help = "Bytes of the store's file that are in use";
        add("pfsnoop_store_size_bytes", help, &ConstGauge::new(store.file_bytes()))?;
        let help = "Sessions in the store";
        add("pfsnoop_store_sessions", help, &ConstGauge::new(store.sessions()))?;
        let (name, help) = ("pfsnoop_store_failures", "Outages of the store, by kind");
        let mut failures = encoder.encode_descriptor(name, help, None, MetricType::Counter)?;
        for (kind, count) in store.failures() {
            let labels = [("kind", kind)];
            ConstCounter::new(count).encode(failures.encode_family(&labels)?)?;
        }
        Ok(())
    }
}
