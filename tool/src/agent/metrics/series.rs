//! The counts of ended sessions, in a limited number of series.

use std::num::NonZeroUsize;
use std::time::{Duration, Instant};

use lru::LruCache;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use super::label::label;
use crate::model::{Session, State};

/// The value of each label of a session that has no series of its own.
const OTHER: &str = "other";

/// A series that has not changed for this long is removed when another series needs its room. By then,
/// every Prometheus has its last value.
const IDLE_TIME: Duration = Duration::from_hours(1);

/// The labels of ended sessions.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct SessionLabels {
    namespace: String,
    pod: String,
    port: String,
    via: &'static str,
    forwarder: String,
    outcome: &'static str,
}

impl SessionLabels {
    /// Without a pod if none is known, or if only the arguments of a process claim it. `None` while the
    /// session is open.
    pub(super) fn of(session: &Session) -> Option<Self> {
        let outcome = match &session.state {
            State::Closed(closed) => closed.outcome.name(),
            State::Lost => session.state.name(),
            State::Started | State::Connected => return None,
        };
        let pod = session.target.owner.pod.as_ref().filter(|_| !session.target.is_claimed);
        let (namespace, pod) = pod.map_or(("", ""), |pod| (&pod.namespace, &pod.name));
        Some(Self {
            namespace: label(namespace.as_bytes()),
            pod: label(pod.as_bytes()),
            port: session.port.to_string(),
            via: session.via.name(),
            forwarder: label(&session.forwarder.comm),
            outcome,
        })
    }

    /// The labels of a session for which there is no room: one series for each dialer and outcome.
    fn without_room(self) -> Self {
        let other = || OTHER.to_owned();
        Self { namespace: other(), pod: other(), port: other(), forwarder: other(), ..self }
    }
}

/// Counts ended sessions. At most `max` sets of labels have series of their own. The sum over all series
/// is always the number of sessions.
#[derive(Debug)]
pub(super) struct SessionSeries {
    family: Family<SessionLabels, Counter>,
    /// When each series was counted in last: at most `max` of them.
    counted: LruCache<SessionLabels, Instant>,
    max: usize,
    series: Gauge,
    without_room: Counter,
}

impl SessionSeries {
    pub(super) fn new(max: NonZeroUsize) -> Self {
        Self {
            family: Family::default(),
            counted: LruCache::unbounded(),
            max: max.get(),
            series: Gauge::default(),
            without_room: Counter::default(),
        }
    }

    pub(super) fn register(&self, registry: &mut Registry) {
        let (family, series, rest) =
            (self.family.clone(), self.series.clone(), self.without_room.clone());
        let help = "Sessions that ended, by pod, port, forwarder and outcome";
        registry.register("pfsnoop_sessions", help, family);
        let help =
            "Series of pfsnoop_sessions_total, of at most --max-series, without those of other";
        registry.register("pfsnoop_session_series", help, series);
        let help =
            "Sessions that were counted as other, because there was no room for another series";
        registry.register("pfsnoop_sessions_without_series", help, rest);
    }

    /// Counts a session that ended at `now`.
    pub(super) fn count(&mut self, labels: SessionLabels, now: Instant) {
        if self.has_room(&labels, now) {
            self.family.get_or_create(&labels).inc();
            self.counted.put(labels, now);
        } else {
            self.family.get_or_create(&labels.without_room()).inc();
            self.without_room.inc();
        }
        self.series.set(i64::try_from(self.counted.len()).unwrap_or(i64::MAX));
    }

    /// Whether the labels have a series or may have one. May remove the series that was idle longest.
    fn has_room(&mut self, labels: &SessionLabels, now: Instant) -> bool {
        if self.counted.contains(labels) || self.counted.len() < self.max {
            return true;
        }
        let is_idle = |last: Instant| now.duration_since(last) >= IDLE_TIME;
        let has_idle = self.counted.peek_lru().is_some_and(|(_, last)| is_idle(*last));
        if has_idle && let Some((idle, _)) = self.counted.pop_lru() {
            self.family.remove(&idle);
        }
        has_idle
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Closed, Destination, Outcome, Owner, Pod};

    fn session(pod: &str) -> Session {
        let pod = Pod { namespace: "shop".into(), name: pod.into(), uid: String::new() };
        let owner = Owner { pod: Some(pod), ..Owner::default() };
        let target = Destination { owner, ..Destination::default() };
        Session { target, ..Session::example(Closed::example(Outcome::Refused)) }
    }

    fn labels(pod: &str) -> SessionLabels {
        SessionLabels::of(&session(pod)).unwrap()
    }

    fn count(series: &SessionSeries, labels: &SessionLabels) -> Option<u64> {
        series.family.get(labels).map(|counter| counter.get())
    }

    #[test]
    fn beyond_the_limit_sessions_are_counted_as_other() {
        let (mut series, now) = (SessionSeries::new(NonZeroUsize::new(2).unwrap()), Instant::now());
        for pod in ["a", "b", "c", "d", "a"] {
            series.count(labels(pod), now);
        }
        assert_eq!(
            ["a", "b", "c"].map(|pod| count(&series, &labels(pod))),
            [Some(2), Some(1), None]
        );
        let other = labels("c").without_room();
        assert_eq!((other.pod.as_str(), other.outcome), ("other", "refused"));
        assert_eq!(count(&series, &other), Some(2));
        assert_eq!((series.series.get(), series.without_room.get()), (2, 2));
    }

    #[test]
    fn an_idle_series_makes_room() {
        let (mut series, now) = (SessionSeries::new(NonZeroUsize::new(2).unwrap()), Instant::now());
        let later = now + IDLE_TIME;
        series.count(labels("a"), now);
        series.count(labels("b"), now);
        series.count(labels("a"), later);
        series.count(labels("c"), later);
        series.count(labels("d"), later);
        assert_eq!(
            ["a", "b", "c", "d"].map(|pod| count(&series, &labels(pod))),
            [Some(2), None, Some(1), None]
        );
        assert_eq!((series.series.get(), series.without_room.get()), (2, 1));
    }

    #[test]
    fn a_claim_names_no_pod() {
        let mut session = session("a");
        session.target.is_claimed = true;
        assert_eq!(SessionLabels::of(&session).unwrap().pod, "");
        session.state = State::Lost;
        assert_eq!(SessionLabels::of(&session).unwrap().outcome, "lost");
        session.state = State::Connected;
        assert_eq!(SessionLabels::of(&session), None);
    }
}
