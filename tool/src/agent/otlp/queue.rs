//! Encoded records that wait for their export.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::Notify;
use tokio::time::timeout;

use super::metrics::{Dropped, SignalMetrics};

/// At most this many records wait.
const MAX_RECORDS: usize = 4096;

/// At most this many bytes wait. A span has about 700.
const MAX_BYTES: usize = 4 * 1024 * 1024;

/// At most this many records are exported at once.
const BATCH: usize = 512;

/// No more records are exported at once than have this many bytes, except for a single larger one.
/// Collectors take 4 MiB by gRPC.
const BATCH_BYTES: usize = 1024 * 1024;

/// How long the first record of a batch waits for others.
const BATCH_INTERVAL: Duration = Duration::from_secs(1);

/// A queue between the monitor and an exporter. What does not fit is dropped and counted: the newest,
/// because the older ones may be on their way already.
#[derive(Debug)]
pub(super) struct Queue {
    waiting: Mutex<Waiting>,
    arrived: Notify,
    metrics: SignalMetrics,
}

#[derive(Debug, Default)]
struct Waiting {
    records: VecDeque<Bytes>,
    bytes: usize,
}

impl Queue {
    pub(super) fn new(metrics: SignalMetrics) -> Self {
        Self { waiting: Mutex::default(), arrived: Notify::new(), metrics }
    }

    /// Adds a record, or counts it. Never waits.
    pub(super) fn push(&self, record: Bytes) {
        let mut waiting = self.lock();
        if waiting.records.len() >= MAX_RECORDS || waiting.bytes + record.len() > MAX_BYTES {
            drop(waiting);
            self.metrics.drop(Dropped::QueueFull, 1);
            return;
        }
        waiting.bytes += record.len();
        waiting.records.push_back(record);
        self.show(&waiting);
        drop(waiting);
        self.arrived.notify_one();
    }

    /// Waits for a batch: a full one, or what has come a moment after the first record. Cancel safe.
    pub(super) async fn batch(&self) -> Vec<Bytes> {
        self.has(1).await;
        // When the time is up, what has come by then is the batch.
        let _ = timeout(BATCH_INTERVAL, self.has(BATCH)).await;
        self.take()
    }

    /// Takes a batch of what is there. Without records, it is empty.
    pub(super) fn take(&self) -> Vec<Bytes> {
        let mut waiting = self.lock();
        let (mut batch, mut bytes) = (Vec::new(), 0);
        while batch.len() < BATCH
            && let Some(record) =
                waiting.records.pop_front_if(|next| bytes == 0 || bytes + next.len() <= BATCH_BYTES)
        {
            bytes += record.len();
            batch.push(record);
        }
        waiting.bytes -= bytes;
        if waiting.records.is_empty() {
            // Frees the memory that a burst took.
            waiting.records.shrink_to(BATCH);
        }
        self.show(&waiting);
        batch
    }

    /// How many records wait.
    pub(super) fn len(&self) -> usize {
        self.lock().records.len()
    }

    async fn has(&self, count: usize) {
        loop {
            let arrived = self.arrived.notified();
            if self.len() >= count {
                return;
            }
            arrived.await;
        }
    }

    fn show(&self, waiting: &Waiting) {
        self.metrics.queued.set(i64::try_from(waiting.records.len()).unwrap_or(i64::MAX));
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use prometheus_client::encoding::prometheus_text;
    use prometheus_client::registry::Registry;

    use super::*;
    use crate::agent::otlp::metrics::OtlpMetrics;
    use crate::agent::otlp::signal::Signal;

    fn queue() -> (Queue, impl Fn(&str) -> String) {
        let (metrics, mut registry) = (OtlpMetrics::default(), Registry::default());
        metrics.register(&mut registry);
        let value = move |name: &str| {
            let mut text = String::new();
            prometheus_text::encode(&mut text, &registry).unwrap();
            let line = text.lines().find(|line| line.starts_with(name)).map(str::to_owned);
            line.unwrap().rsplit(' ').next().unwrap().to_owned()
        };
        (Queue::new(metrics.of(Signal::Traces)), value)
    }

    fn record(bytes: usize) -> Bytes {
        vec![0; bytes].into()
    }

    #[test]
    fn what_does_not_fit_is_dropped_and_counted() {
        let (queue, value) = queue();
        let full = "pfsnoop_otlp_dropped_total{signal=\"traces\",reason=\"queue_full\"}";
        (0..MAX_RECORDS + 7).for_each(|_| queue.push(record(1)));
        assert_eq!((value(full), value("pfsnoop_otlp_queued{")), ("7".into(), "4096".into()));
        while !queue.take().is_empty() {}
        assert_eq!(value("pfsnoop_otlp_queued{"), "0");
        (0..5).for_each(|_| queue.push(record(MAX_BYTES / 4)));
        assert_eq!((value(full).as_str(), queue.len()), ("8", 4), "the limit in bytes");
    }

    #[test]
    fn a_batch_has_a_limit_in_records_and_in_bytes() {
        let (queue, _) = queue();
        (0..=BATCH).for_each(|_| queue.push(record(1)));
        assert_eq!([queue.take().len(), queue.take().len(), queue.take().len()], [BATCH, 1, 0]);
        let large = [BATCH_BYTES / 2, BATCH_BYTES / 2, 1, BATCH_BYTES + 1, 1];
        for bytes in large {
            queue.push(record(bytes));
        }
        assert_eq!([0; 4].map(|_| queue.take().len()), [2, 1, 1, 1]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_batch_waits_for_a_second_or_until_it_is_full() {
        let (queue, _) = queue();
        let start = tokio::time::Instant::now();
        queue.push(record(1));
        assert_eq!((queue.batch().await.len(), start.elapsed()), (1, BATCH_INTERVAL));
        (0..BATCH).for_each(|_| queue.push(record(1)));
        assert_eq!((queue.batch().await.len(), start.elapsed()), (BATCH, BATCH_INTERVAL));
    }
}
