//! The task of one request: copies its data, and passes on how it ends.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::{sleep, timeout};

use super::answer::End;
use super::copy_out::{Eof, copy_out};
use super::data_stream::DataStream;
use super::outbox::Outbox;
use super::pair_frames::PairFrames;

/// How long the client waits for the forwarder's answer once the pod has sent everything: containerd's
/// time for the other direction (`portForward` in its sandbox_portforward_linux.go). Old kubectl (1.20)
/// closes its local connection only when the error stream ends, newer ones at once. A client with channels
/// never would: it learns no end before everything has ended. So what it sends ends then, too.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(1);

/// How long a connection that failed may still deliver what the pod sent before.
const LAST_DATA_TIMEOUT: Duration = Duration::from_secs(1);

/// Longest text for the error stream, bytes.
const MAX_TEXT: usize = 8 * 1024;

/// One request of a client.
pub(super) struct Pump<F> {
    stream: Arc<DataStream>,
    frames: F,
    outbox: Arc<Outbox>,
    answer: oneshot::Receiver<End>,
    /// The error stream has ended.
    is_told: bool,
}

impl<F: PairFrames> Pump<F> {
    pub(super) fn new(
        stream: Arc<DataStream>,
        frames: F,
        outbox: Arc<Outbox>,
        answer: oneshot::Receiver<End>,
    ) -> Self {
        Self { stream, frames, outbox, answer, is_told: false }
    }

    /// Serves the request until the forwarder has answered, and until then holds the socket, so that the
    /// forwarder never takes a client that is gone for one that has half-closed.
    pub(super) async fn run(mut self) -> F {
        let gone = self.stream.gone.clone();
        let end = tokio::select! {
            end = self.copy() => Some(end),
            () = gone.cancelled() => None,
        };
        self.stream.discard();
        if let Some(end) = end {
            self.pass_on(end);
        } else {
            if self.stream.is_broken_off() {
                self.reset_data();
            }
            // kubectl waits for the end of the error stream.
            self.end_errors();
            let _ = self.answer.await;
        }
        self.frames
    }

    /// Copies both ways until the forwarder has answered.
    async fn copy(&mut self) -> End {
        let Self { stream, frames, outbox, answer, is_told } = self;
        let mut backlog = pin!(stream.drain());
        let mut copying = pin!(copy_out(stream, frames, outbox));
        let mut eof = None;
        let end = loop {
            tokio::select! {
                end = &mut *answer => break end.unwrap_or(End::Reset),
                at = &mut copying, if eof.is_none() => {
                    eof = Some(at);
                    if at == Eof::HalfClosed {
                        end_data(stream, frames, outbox);
                    }
                }
                () = sleep(ANSWER_TIMEOUT), if eof.is_some() && !*is_told => {
                    end_data(stream, frames, outbox);
                    outbox.put(|out| frames.end_errors(out));
                    if !F::HAS_END_OF_DATA {
                        stream.end();
                    }
                    *is_told = true;
                }
                never = &mut backlog => match never {},
            }
        };
        // The forwarder reads nothing more. What it sent before its answer is in the socket.
        match (&end, eof) {
            (_, Some(_)) => {}
            (End::Finished, None) => drop(copying.await),
            (End::Failed(_) | End::Reset, None) => {
                drop(timeout(LAST_DATA_TIMEOUT, copying).await);
            }
        }
        end
    }

    fn pass_on(&self, end: End) {
        let Self { stream, frames, outbox, .. } = self;
        match end {
            End::Finished => end_data(stream, frames, outbox),
            End::Failed(text) if !self.is_told => {
                let text = text.get(..text.floor_char_boundary(MAX_TEXT)).unwrap_or_default();
                outbox.put(|out| frames.error_text(text, out));
                self.reset_data();
            }
            End::Failed(_) | End::Reset => self.reset_data(),
        }
        self.end_errors();
    }

    fn end_errors(&self) {
        if !self.is_told {
            self.outbox.put(|out| self.frames.end_errors(out));
        }
    }

    fn reset_data(&self) {
        if !self.stream.is_complete() {
            self.outbox.put(|out| self.frames.reset_data(out));
        }
    }
}

/// Tells the client that the pod sends nothing more, once.
fn end_data<F: PairFrames>(stream: &DataStream, frames: &F, outbox: &Outbox) {
    if !stream.is_sent() {
        outbox.put(|out| frames.end_data(out));
        stream.set_sent();
    }
}
