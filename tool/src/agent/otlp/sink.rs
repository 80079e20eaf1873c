//! The sink that makes spans and log records.

use std::io;
use std::sync::Arc;

use prost::Message as _;
use ring::rand::{SecureRandom as _, SystemRandom};

use super::client::ClientError;
use super::exporter::Exporter;
use super::log_record::log_record;
use super::metrics::OtlpMetrics;
use super::open_sessions::OpenSessions;
use super::options::OtlpOptions;
use super::queue::Queue;
use super::signal::Signal;
use super::span::{SpanIds, span};
use crate::model::{Session, Update};
use crate::output::Sink;

/// Queues a span for each session that ended, and a log record for each that failed. They are encoded at
/// once, so that what waits takes as little memory as on the wire.
pub struct OtlpSink {
    open: OpenSessions,
    spans: Option<Arc<Queue>>,
    logs: Option<Arc<Queue>>,
    random: SystemRandom,
}

impl OtlpSink {
    /// The sink, and the exporters of its queues. Must be called while this process may still open
    /// files.
    pub fn new(
        options: OtlpOptions,
        metrics: &OtlpMetrics,
    ) -> Result<(Self, Vec<Exporter>), ClientError> {
        let OtlpOptions { resource, signals } = options;
        let (mut spans, mut logs, mut exporters) = (None, None, Vec::new());
        for options in signals {
            let metrics = metrics.of(options.signal);
            let queue = Arc::new(Queue::new(metrics.clone()));
            *(match options.signal {
                Signal::Traces => &mut spans,
                Signal::Logs => &mut logs,
            }) = Some(Arc::clone(&queue));
            exporters.push(Exporter::new(&options, resource.clone(), queue, metrics)?);
        }
        let open = OpenSessions::default();
        Ok((Self { open, spans, logs, random: SystemRandom::new() }, exporters))
    }

    fn session(&mut self, session: &Session) {
        let Some(times) = self.open.note(session) else { return };
        let ids = self.ids();
        if let Some(spans) = &self.spans {
            spans.push(span(session, times, ids).encode_to_vec().into());
        }
        if let Some(logs) = &self.logs
            && let Some(record) = log_record(session, times.ended_ns, ids)
        {
            logs.push(record.encode_to_vec().into());
        }
    }

    /// Random ids. The kernel's random numbers never fail once they are there; zeros would be ids that
    /// the specification calls invalid, so that a collector rejects and the agent counts the record.
    fn ids(&self) -> SpanIds {
        let mut ids = SpanIds::default();
        let _ = self.random.fill(&mut ids.trace).and_then(|()| self.random.fill(&mut ids.span));
        ids
    }
}

impl Sink for OtlpSink {
    fn update(&mut self, update: &Update) -> io::Result<()> {
        match update {
            Update::Ready(_) => self.open.clear(),
            Update::Session(session) => self.session(session),
            _ => {}
        }
        Ok(())
    }
}
