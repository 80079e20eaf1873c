//! Exports what is in a queue.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::backoff::Backoff;
use super::batch::Envelope;
use super::client::{Client, ClientError, ExportError};
use super::messages::{ExportResponse, PartialSuccess};
use super::metrics::{Dropped, SignalMetrics};
use super::options::SignalOptions;
use super::queue::Queue;
use super::resource::Resource;
use super::signal::Signal;
use crate::output;

/// How long the export of what is left may take at the end.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(2);

/// The wait between two attempts at the end.
const FLUSH_INTERVAL: Duration = Duration::from_millis(200);

/// Exports the records of one signal, batch after batch and in order. A batch that the collector cannot
/// take now is tried again until it does, and the queue fills meanwhile.
pub struct Exporter {
    signal: Signal,
    /// Where to, for people.
    address: String,
    client: Client,
    envelope: Envelope,
    queue: Arc<Queue>,
    metrics: SignalMetrics,
    /// The batch that is being exported.
    batch: Vec<Bytes>,
    /// The last attempt has failed, and the user knows.
    is_failing: bool,
}

impl Exporter {
    /// Reads the certificates. Must be called while this process may still open files.
    pub(super) fn new(
        options: &SignalOptions,
        resource: Resource,
        queue: Arc<Queue>,
        metrics: SignalMetrics,
    ) -> Result<Self, ClientError> {
        Ok(Self {
            signal: options.signal,
            address: output::escaped(options.uri.to_string().as_bytes()),
            client: Client::new(options)?,
            envelope: Envelope::new(resource),
            queue,
            metrics,
            batch: Vec::new(),
            is_failing: false,
        })
    }

    /// Exports until `ending` is cancelled, and then what is left, for a moment. What is left after that
    /// is counted.
    pub async fn run(mut self, ending: CancellationToken) {
        let time_is_up = async {
            ending.cancelled().await;
            sleep(FLUSH_TIMEOUT).await;
        };
        tokio::select! {
            () = self.export_all(&ending) => {}
            () = time_is_up => {}
        }
        let left = self.batch.len() + self.queue.len();
        self.metrics.drop(Dropped::Shutdown, left);
        if left > 0 {
            let (what, address) = (self.signal.name(), &self.address);
            output::complain(&format!("{left} records ({what}) were not exported to {address}"));
        }
    }

    async fn export_all(&mut self, ending: &CancellationToken) {
        loop {
            self.batch = match ending.run_until_cancelled(self.queue.batch()).await {
                Some(batch) => batch,
                None => self.queue.take(),
            };
            if self.batch.is_empty() && ending.is_cancelled() {
                return;
            }
            self.export_batch(ending).await;
            self.batch.clear();
        }
    }

    /// Tries until the collector takes the batch or rejects it for good.
    async fn export_batch(&mut self, ending: &CancellationToken) {
        let mut backoff = Backoff::default();
        loop {
            let request = self.envelope.around(self.batch.clone());
            let error = match self.client.export(request).await {
                Ok(answer) => return self.note_taken(answer),
                Err(error) => error,
            };
            self.metrics.failures.inc();
            self.note_failed(&error);
            if !error.is_transient {
                return self.metrics.drop(Dropped::Rejected, self.batch.len());
            }
            let wait = backoff.next(error.retry_after);
            if ending.is_cancelled() {
                sleep(FLUSH_INTERVAL).await;
            } else {
                // At the end, the next attempt comes at once.
                let _ = ending.run_until_cancelled(sleep(wait)).await;
            }
        }
    }

    fn note_taken(&mut self, ExportResponse { partial_success }: ExportResponse) {
        let PartialSuccess { rejected, error_message } = partial_success.unwrap_or_default();
        let rejected = usize::try_from(rejected).unwrap_or(0).min(self.batch.len());
        let taken = u64::try_from(self.batch.len() - rejected).unwrap_or(u64::MAX);
        self.metrics.exported.inc_by(taken);
        self.metrics.drop(Dropped::Rejected, rejected);
        if rejected > 0 {
            let why = output::escaped(error_message.as_bytes());
            self.complain(&format!("rejects {rejected} of {} records: {why}", self.batch.len()));
        } else if std::mem::take(&mut self.is_failing) {
            let (what, address) = (self.signal.name(), &self.address);
            output::complain(&format!("{what} are exported to {address} again"));
        }
    }

    fn note_failed(&mut self, error: &ExportError) {
        let why = output::escaped(error.to_string().as_bytes());
        let then = if error.is_transient { "they wait in a queue" } else { "they are dropped" };
        self.complain(&format!("does not take them ({why}); {then}"));
    }

    /// Says it once, until records are exported again.
    fn complain(&mut self, what_happened: &str) {
        if !std::mem::replace(&mut self.is_failing, true) {
            let (what, address) = (self.signal.name(), &self.address);
            output::complain(&format!("{what} are not exported: {address} {what_happened}"));
        }
    }
}
