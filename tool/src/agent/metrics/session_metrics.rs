//! The metrics of sessions, helpers and lost records.

use std::num::NonZeroUsize;
use std::time::Instant;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

use super::series::{SessionLabels, SessionSeries};
use crate::model::{Closed, ExecEvent, Lost, Outcome, Session, State};

/// From a health check to a debugging session of a day, seconds.
const DURATIONS: [f64; 12] =
    [0.001, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 30.0, 120.0, 600.0, 3600.0, 86400.0];

/// From a connect within the node to several SYNs without an answer, seconds.
const CONNECTS: [f64; 12] =
    [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.25, 1.0, 5.0, 30.0];

/// A histogram for each of a few sets of labels.
type Histograms<L> = Family<L, Histogram, fn() -> Histogram>;

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OutcomeLabel {
    outcome: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ViaLabel {
    via: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct DirectionLabel {
    direction: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ExecLabels {
    comm: &'static str,
    result: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RingLabel {
    ring: &'static str,
}

/// The metrics of what the monitor reports. Only `SessionSeries` has labels whose values other
/// processes choose.
#[derive(Debug)]
pub struct SessionMetrics {
    sessions: SessionSeries,
    open: Gauge,
    duration: Histograms<OutcomeLabel>,
    connect: Histograms<ViaLabel>,
    bytes: Family<DirectionLabel, Counter>,
    execs: Family<ExecLabels, Counter>,
    lost: Family<RingLabel, Counter>,
}

impl SessionMetrics {
    /// Registers the metrics. Sessions have at most `max_series` series.
    #[must_use]
    pub fn register(registry: &mut Registry, max_series: NonZeroUsize) -> Self {
        let metrics = Self {
            sessions: SessionSeries::new(max_series),
            open: Gauge::default(),
            duration: Family::new_with_constructor(|| Histogram::new(DURATIONS)),
            connect: Family::new_with_constructor(|| Histogram::new(CONNECTS)),
            bytes: Family::default(),
            execs: Family::default(),
            lost: Family::default(),
        };
        metrics.register_all(registry);
        metrics.begin();
        metrics
    }

    fn register_all(&self, registry: &mut Registry) {
        let Self { sessions, open, duration, connect, bytes, execs, lost } = self;
        sessions.register(registry);
        registry.register("pfsnoop_sessions_open", "Sessions that are open", open.clone());
        let help = "How long sessions were open, by outcome";
        registry.register("pfsnoop_session_duration_seconds", help, duration.clone());
        let help = "How long it took until the target answered, by the way into the target";
        registry.register("pfsnoop_session_connect_seconds", help, connect.clone());
        let help = "Payload of sessions that ended, in bytes, by direction";
        registry.register("pfsnoop_session_bytes", help, bytes.clone());
        let help = "Execs of nsenter and socat, and sessions for which nsenter found no socat";
        registry.register("pfsnoop_helper_execs", help, execs.clone());
        let help = "Records that were lost on their way from the kernel, by place";
        registry.register("pfsnoop_records_lost", help, lost.clone());
    }

    /// Makes the series that an alert compares with 0: a series that begins with 1 has no increase.
    fn begin(&self) {
        for (comm, result) in [("nsenter", "ok"), ("socat", "ok"), ("socat", "missing")] {
            drop(self.execs.get_or_create(&ExecLabels { comm, result }));
        }
        for (ring, _) in Lost::default().places.by_name() {
            drop(self.lost.get_or_create(&RingLabel { ring }));
        }
        for direction in ["to_pod", "from_pod"] {
            drop(self.bytes.get_or_create(&DirectionLabel { direction }));
        }
    }

    /// A monitor has begun: no session is open.
    pub(super) fn restart(&self) {
        self.open.set(0);
    }

    /// Counts a session that entered a state at `now`.
    pub(super) fn session(&mut self, session: &Session, now: Instant) {
        match &session.state {
            State::Started => drop(self.open.inc()),
            State::Connected => {}
            State::Closed(closed) => {
                self.leave();
                self.closed(closed, session.via.name());
            }
            State::Lost => self.leave(),
        }
        if let Some(labels) = SessionLabels::of(session) {
            self.sessions.count(labels, now);
        }
    }

    /// A session is not open any more. It may have begun before this monitor.
    fn leave(&self) {
        if self.open.get() > 0 {
            self.open.dec();
        }
    }

    fn closed(&self, closed: &Closed, via: &'static str) {
        let outcome = closed.outcome.name();
        if let Some(duration_ns) = closed.duration_ns {
            let duration = self.duration.get_or_create(&OutcomeLabel { outcome });
            duration.observe(seconds(duration_ns));
        }
        if let Some(connect_ns) = closed.connect_ns {
            self.connect.get_or_create(&ViaLabel { via }).observe(seconds(connect_ns));
        }
        let directions = [("to_pod", closed.bytes_to_pod), ("from_pod", closed.bytes_from_pod)];
        for (direction, bytes) in directions {
            self.bytes.get_or_create(&DirectionLabel { direction }).inc_by(bytes.unwrap_or(0));
        }
        if closed.outcome == Outcome::HelperMissing {
            self.count_exec("socat", "missing");
        }
    }

    /// Counts an exec of a helper, which has succeeded.
    pub(super) fn exec(&self, exec: &ExecEvent) {
        match &*exec.comm {
            b"nsenter" => self.count_exec("nsenter", "ok"),
            b"socat" => self.count_exec("socat", "ok"),
            _ => {}
        }
    }

    fn count_exec(&self, comm: &'static str, result: &'static str) {
        self.execs.get_or_create(&ExecLabels { comm, result }).inc();
    }

    /// Counts lost records.
    pub(super) fn lost(&self, lost: Lost) {
        for (ring, count) in lost.places.by_name() {
            self.lost.get_or_create(&RingLabel { ring }).inc_by(count);
        }
    }
}

fn seconds(nanoseconds: u64) -> f64 {
    nanoseconds as f64 / 1e9
}
