//! Forwards streams, each to the target that it names.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::net::UnixStream;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::arrival::{Arrival, Stream};
use super::connection;
use super::dial::Dialer;
use super::event::{ForwardEvent, Report, Upstream};
use super::failure::Failure;
use super::forwarder::{Forwarder, MAX_UNREAD};
use super::kubelet_words::{no_target, too_many};
use super::limits::Limits;
use super::missing_target::MissingTarget;
use super::own_endpoint::OwnEndpoint;
use super::shared::Shared;
use super::stream_end::StreamEnd;
use super::stream_target::StreamTarget;
use crate::host::clock;
use crate::model::Trouble;

/// Forwards streams, each to the target that it names: what an endpoint needs that talks to the clients
/// itself. Each clone forwards for the same endpoint.
#[derive(Clone)]
pub struct StreamForwarder {
    shared: Arc<Shared>,
    endpoint: Arc<OwnEndpoint>,
}

impl StreamForwarder {
    /// Forwards for an endpoint that listens there. Until [`Forwarder::stop`] has returned, the events
    /// must be read.
    pub fn start(
        dialer: Box<dyn Dialer>,
        limits: Limits,
        endpoint: Vec<SocketAddr>,
    ) -> (Self, mpsc::Receiver<ForwardEvent>) {
        let (events, receiver) = mpsc::channel(MAX_UNREAD);
        let shared = Arc::new(Shared::new(dialer, events, limits));
        // More streams may come, until it drains.
        shared.tasks.close();
        (Self { shared, endpoint: Arc::new(OwnEndpoint::new(endpoint)) }, receiver)
    }

    /// What runs: to stop it, and to pass it what the kernel saw.
    #[must_use]
    pub fn forwarder(&self) -> Forwarder {
        Forwarder { shared: Arc::clone(&self.shared) }
    }

    /// Serves a stream in a task of its own. Must be called within a tokio runtime.
    ///
    /// `stream` is the forwarder's end of a [`stream_pair`](super::stream_pair). What the client sends
    /// comes out of it, and the end of that is the client's half-close; the forwarder shuts it down for
    /// writing when everything from the target is in there. `gone` must be cancelled when the client has
    /// reset the stream, and before the other end is closed for that reason: otherwise the target would
    /// take a part of the data for all of it.
    ///
    /// `answer` is called once, with what the client is to learn. Until it has returned, the stream stays
    /// open, so whoever reads the end of the other end and finds no answer there has read a half-close. If
    /// as many connections are open as are allowed, or the forwarder stops, it is called at once.
    pub fn serve(
        &self,
        to: StreamTarget,
        stream: UnixStream,
        gone: CancellationToken,
        answer: impl FnOnce(StreamEnd) + Send + 'static,
    ) {
        let Self { shared, endpoint } = self;
        // Whoever stops the forwarder waits for this.
        let _starting = shared.tasks.token();
        if shared.draining.is_cancelled() {
            return answer(StreamEnd::Reset);
        }
        let Ok(slot) = Arc::clone(&shared.slots).try_acquire_owned() else {
            let StreamTarget { client, port, .. } = &to;
            let (client, port, max) = (Arc::clone(client), *port, shared.max_connections);
            // If so many events are unread, one more tells nothing new.
            let trouble = Trouble::TooManyStreams { client, port, max };
            shared.try_report(ForwardEvent::Trouble(trouble));
            return answer(StreamEnd::Failed(too_many(max, &to)));
        };
        let endpoint = Arc::clone(endpoint);
        let answer: Box<dyn FnOnce(StreamEnd) + Send> = Box::new(answer);
        let rest = Box::new(Stream { to, endpoint, gone, answer: Mutex::new(answer), held: None });
        let (arrival, serving) = (Arrival::Stream(stream, rest), Arc::clone(shared));
        shared.tasks.spawn(async move {
            connection::serve(arrival, serving).await;
            drop(slot);
        });
    }

    /// Reports a connection that failed before it began. Returns what its client is to learn.
    pub async fn fail(&self, missing: MissingTarget) -> StreamEnd {
        let shared = &self.shared;
        // Whoever stops the forwarder waits for this.
        let _failing = shared.tasks.token();
        let MissingTarget { destination, id, port, client, duration, error } = missing;
        let failure = Failure::NoTarget(Box::new(error));
        let end = StreamEnd::Failed(no_target(&failure, port, &id));
        let accepted = shared.accept(shared.dialer.usual_via(), port, None);
        let accept = ForwardEvent::Accepted(accepted, Arc::new(destination), Some(client));
        shared.report(accept).await;
        let report = Report {
            accepted,
            time_ns: clock::boottime_ns(),
            upstream: Upstream::default(),
            bytes_to_pod: 0,
            bytes_from_pod: 0,
            duration,
            result: Err(failure),
        };
        shared.report(ForwardEvent::Closed(report)).await;
        end
    }
}
