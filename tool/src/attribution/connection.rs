//! The connection to a runtime that is asked for names: made when it is needed, and made again after
//! the runtime was away.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::task::JoinHandle;

use crate::output::escaped;
use crate::runtime::{Asked, Candidate, Names, RuntimeClient, RuntimeError};

/// How long a runtime that did not answer is skipped: twice as long each time, ...
const FIRST_SILENT_BACKOFF: Duration = Duration::from_secs(2);

/// ... and at most so long. Otherwise each lookup would wait for it.
const MAX_SILENT_BACKOFF: Duration = Duration::from_secs(30);

/// How long a runtime is skipped after connecting to it failed. No lookup waits for a new
/// connection.
const ABSENT_BACKOFF: Duration = Duration::from_secs(2);

/// A runtime that may run on this node.
pub(super) struct Connection {
    candidate: Candidate,
    /// Set while the runtime answers.
    client: Option<Arc<dyn RuntimeClient>>,
    /// A connection that is being made.
    connecting: Option<JoinHandle<Asked>>,
    /// Set after a failure: the runtime is skipped until then.
    skipped_until: Option<Instant>,
    /// How long it is skipped when it does not answer the next time.
    backoff: Duration,
    /// False for a daemon for another purpose.
    is_served: bool,
}

/// What a runtime says about a container.
pub(super) enum Found {
    /// The runtime with this name has it.
    Names(&'static str, Names),
    /// The runtime answers, and does not have it.
    Nothing,
    /// The runtime does not answer, and may have it.
    Silence,
    /// There is no such runtime.
    NoRuntime,
}

impl Connection {
    pub(super) fn new(candidate: Candidate) -> Self {
        let (client, connecting, skipped_until) = (None, None, None);
        let (backoff, is_served) = (FIRST_SILENT_BACKOFF, true);
        Self { candidate, client, connecting, skipped_until, backoff, is_served }
    }

    /// What the runtime says about the container with this id.
    pub(super) async fn names(&mut self, id: &str) -> Found {
        let Some(client) = self.client().await else {
            let may_have_it = self.is_served && self.candidate.is_worth_asking();
            return if may_have_it { Found::Silence } else { Found::NoRuntime };
        };
        let answer = client.names(id).await;
        if answer.is_ok() {
            self.backoff = FIRST_SILENT_BACKOFF;
        }
        match answer {
            Ok(Some(names)) => Found::Names(client.name(), names),
            Ok(None) => Found::Nothing,
            Err(error) => {
                self.silent(&error);
                Found::Silence
            }
        }
    }

    /// The client of a runtime that answers.
    pub(super) async fn client(&mut self) -> Option<Arc<dyn RuntimeClient>> {
        if self.client.is_none() {
            self.connect();
            if self.connecting.as_ref().is_some_and(JoinHandle::is_finished) {
                self.connected().await;
            }
        }
        self.client.clone()
    }

    /// The runtime does not answer: it is skipped for a while.
    pub(super) fn silent(&mut self, error: &RuntimeError) {
        let name = self.client.take().map_or("a container runtime", |client| client.name());
        let error = escaped(error.to_string().as_bytes());
        log::warn!("{name} does not answer: {error}; names may be missing");
        self.skipped_until = Instant::now().checked_add(self.backoff);
        self.backoff = (self.backoff * 2).min(MAX_SILENT_BACKOFF);
    }

    /// Starts to connect, unless that is under way, or the runtime is skipped or not there.
    pub(super) fn connect(&mut self) {
        let is_skipped = self.skipped_until.is_some_and(|until| Instant::now() < until);
        if self.connecting.is_none() && !is_skipped && self.candidate.is_worth_asking() {
            self.connecting = Some(tokio::spawn(self.candidate.clone().ask()));
        }
    }

    /// Waits for the result of connecting. Cancel safe.
    pub(super) async fn connected(&mut self) {
        let Some(connecting) = &mut self.connecting else { return };
        let asked = connecting.await;
        self.connecting = None;
        // A task ends early only by a panic, and panics abort.
        let Ok(Asked { runtime, answer, .. }) = asked else { return };
        match answer {
            Ok(client) => {
                self.client = Some(client);
                self.skipped_until = None;
                self.is_served = true;
            }
            Err(error) => {
                self.report(&runtime, &error);
                self.is_served = !error.is_not_served();
                self.skipped_until = Instant::now().checked_add(ABSENT_BACKOFF);
            }
        }
    }

    /// Warns once: the runtime may never come back.
    fn report(&self, runtime: &str, error: &RuntimeError) {
        let error_text = escaped(error.to_string().as_bytes());
        // A containerd that only serves Docker is as it should be.
        if error.is_not_served() || self.skipped_until.is_some() {
            log::debug!("{runtime}: {error_text}");
        } else {
            log::warn!("{runtime}: {error_text}; names may be missing");
        }
    }
}
