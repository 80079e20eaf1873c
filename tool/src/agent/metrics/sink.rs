//! The sink that counts.

use std::io;
use std::time::Instant;

use super::session_metrics::SessionMetrics;
use crate::model::Update;
use crate::output::Sink;

/// Counts updates.
pub struct MetricsSink(pub SessionMetrics);

impl Sink for MetricsSink {
    fn update(&mut self, update: &Update) -> io::Result<()> {
        let Self(metrics) = self;
        match update {
            Update::Ready(_) => metrics.restart(),
            Update::Session(session) => metrics.session(session, Instant::now()),
            Update::Exec(exec, _) => metrics.exec(exec),
            Update::Lost(lost) => metrics.lost(*lost),
            _ => {}
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroUsize;

    use prometheus_client::encoding::prometheus_text;
    use prometheus_client::registry::Registry;

    use super::*;
    use crate::model::{Closed, LossPlaces, Lost, Outcome, Ready, Session, State};

    /// A sink, and what it counts as text.
    fn sink() -> (MetricsSink, impl Fn() -> String) {
        let mut registry = Registry::default();
        let max = NonZeroUsize::new(10).unwrap();
        let sink = MetricsSink(SessionMetrics::register(&mut registry, max));
        let text = move || {
            let mut text = String::new();
            prometheus_text::encode(&mut text, &registry).unwrap();
            text
        };
        (sink, text)
    }

    fn session(state: State) -> Update {
        let session = Session::example(Closed::example(Outcome::Ok));
        Update::Session(Box::new(Session { state, ..session }))
    }

    #[track_caller]
    fn assert_has(text: &str, lines: &[&str]) {
        for line in lines {
            assert!(text.lines().any(|one| one == *line), "{line} in {text}");
        }
    }

    #[test]
    fn a_session_is_counted_in_each_metric() {
        let (mut sink, text) = sink();
        let closed = Closed {
            bytes_to_pod: Some(7),
            bytes_from_pod: Some(9),
            connect_ns: Some(2_000_000),
            duration_ns: Some(3_000_000_000),
            ..Closed::example(Outcome::HelperMissing)
        };
        sink.update(&session(State::Started)).unwrap();
        sink.update(&session(State::Started)).unwrap();
        assert_has(&text(), &["pfsnoop_sessions_open 2"]);
        sink.update(&session(State::Connected)).unwrap();
        sink.update(&session(State::Closed(closed))).unwrap();
        assert_has(
            &text(),
            &[
                "pfsnoop_sessions_open 1",
                "pfsnoop_session_bytes_total{direction=\"to_pod\"} 7",
                "pfsnoop_session_bytes_total{direction=\"from_pod\"} 9",
                "pfsnoop_helper_execs_total{comm=\"socat\",result=\"missing\"} 1",
                "pfsnoop_session_duration_seconds_sum{outcome=\"helper-missing\"} 3.0",
                "pfsnoop_session_connect_seconds_bucket{via=\"native\",le=\"0.0025\"} 1",
                "pfsnoop_session_connect_seconds_bucket{via=\"native\",le=\"0.001\"} 0",
            ],
        );
        let ready = Ready { time_ns: 0, command: "agent", has_execs: false };
        sink.update(&Update::Ready(ready)).unwrap();
        sink.update(&session(State::Lost)).unwrap();
        assert_has(&text(), &["pfsnoop_sessions_open 0"]);
    }

    #[test]
    fn lost_records_are_counted_by_place() {
        let (mut sink, text) = sink();
        assert_has(&text(), &["pfsnoop_records_lost_total{ring=\"inbox\"} 0"]);
        let places = LossPlaces { inbox: 3, sockets: 4, ..LossPlaces::default() };
        sink.update(&Update::Lost(Lost { events: 7, total: 9, places })).unwrap();
        let inbox = "pfsnoop_records_lost_total{ring=\"inbox\"} 3";
        assert_has(&text(), &[inbox, "pfsnoop_records_lost_total{ring=\"sockets\"} 4"]);
    }
}
