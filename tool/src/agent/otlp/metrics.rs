//! The metrics of the export itself.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use super::signal::Signal;

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct SignalLabel {
    signal: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct DropLabels {
    signal: &'static str,
    reason: &'static str,
}

/// Why a record does not reach the collector.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dropped {
    /// As many records wait as may.
    QueueFull,
    /// The collector does not take it, and would not take it later.
    Rejected,
    /// The agent ended before.
    Shutdown,
}

impl Dropped {
    const ALL: [Self; 3] = [Self::QueueFull, Self::Rejected, Self::Shutdown];

    fn name(self) -> &'static str {
        match self {
            Self::QueueFull => "queue_full",
            Self::Rejected => "rejected",
            Self::Shutdown => "shutdown",
        }
    }
}

/// The metrics of all exports.
#[derive(Clone, Debug, Default)]
pub struct OtlpMetrics {
    queued: Family<SignalLabel, Gauge>,
    exported: Family<SignalLabel, Counter>,
    failures: Family<SignalLabel, Counter>,
    dropped: Family<DropLabels, Counter>,
}

impl OtlpMetrics {
    /// Registers the metrics.
    pub fn register(&self, registry: &mut Registry) {
        let Self { queued, exported, failures, dropped } = self.clone();
        let help = "Spans or log records that wait for their export";
        registry.register("pfsnoop_otlp_queued", help, queued);
        let help = "Spans or log records that a collector has taken";
        registry.register("pfsnoop_otlp_exported", help, exported);
        let help = "Attempts to export that failed";
        registry.register("pfsnoop_otlp_failures", help, failures);
        let help = "Spans or log records that no collector has taken, by reason";
        registry.register("pfsnoop_otlp_dropped", help, dropped);
    }

    /// The metrics of one signal.
    pub(super) fn of(&self, signal: Signal) -> SignalMetrics {
        let label = SignalLabel { signal: signal.name() };
        let dropped = Dropped::ALL.map(|reason| {
            let labels = DropLabels { signal: signal.name(), reason: reason.name() };
            self.dropped.get_or_create_owned(&labels)
        });
        SignalMetrics {
            queued: self.queued.get_or_create_owned(&label),
            exported: self.exported.get_or_create_owned(&label),
            failures: self.failures.get_or_create_owned(&label),
            dropped,
        }
    }
}

/// The metrics of one signal.
#[derive(Clone, Debug)]
pub(super) struct SignalMetrics {
    pub(super) queued: Gauge,
    pub(super) exported: Counter,
    pub(super) failures: Counter,
    /// In the order of [`Dropped::ALL`].
    dropped: [Counter; 3],
}

impl SignalMetrics {
    /// Counts records that were dropped.
    pub(super) fn drop(&self, reason: Dropped, records: usize) {
        let counters = Dropped::ALL.iter().zip(&self.dropped);
        for (_, counter) in counters.filter(|(known, _)| **known == reason) {
            counter.inc_by(u64::try_from(records).unwrap_or(u64::MAX));
        }
    }
}
