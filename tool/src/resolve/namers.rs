//! The runtimes, asked for names: also those that come, or come back, while a command runs.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::task::JoinHandle;

use super::runtimes::{Asked, Candidate, Runtimes};
use super::source::{AskError, Names, Source};

/// How long a runtime that did not answer is left alone: rows wait for each of its answers.
const SILENT_FOR: Duration = Duration::from_secs(30);

/// How long one is left alone to which there is no connection: for the next, no row waits.
const AWAY_FOR: Duration = Duration::from_secs(2);

/// All that may be asked, in the order in which they are.
pub(super) struct Namers(Vec<Namer>);

/// A runtime that may be there.
struct Namer {
    candidate: Candidate,
    /// While it answers.
    source: Option<Arc<dyn Source>>,
    /// A connection that is being made.
    connecting: Option<JoinHandle<Asked>>,
    /// It failed: nobody connects before then.
    rests_until: Option<Instant>,
}

impl Namers {
    /// Asks nobody.
    pub(super) fn none() -> Self {
        Self(Vec::new())
    }

    /// Connects to those that answer, all at once.
    pub(super) async fn connect(runtimes: &Runtimes) -> Self {
        let mut all: Vec<_> = runtimes.candidates().into_iter().map(Namer::new).collect();
        all.iter_mut().for_each(Namer::connect);
        for namer in &mut all {
            namer.connected().await;
        }
        Self(all)
    }

    /// The names of that container, and the runtime that has it.
    pub(super) async fn names(&mut self, id: &str) -> Option<(&'static str, Names)> {
        for namer in &mut self.0 {
            let found = namer.names(id).await;
            if found.is_some() {
                return found;
            }
        }
        None
    }
}

impl Namer {
    fn new(candidate: Candidate) -> Self {
        Self { candidate, source: None, connecting: None, rests_until: None }
    }

    async fn names(&mut self, id: &str) -> Option<(&'static str, Names)> {
        if self.source.is_none() {
            self.connect();
            if self.connecting.as_ref().is_some_and(JoinHandle::is_finished) {
                self.connected().await;
            }
        }
        let source = Arc::clone(self.source.as_ref()?);
        let name = source.name();
        match source.names(id).await {
            Ok(names) => names.map(|names| (name, names)),
            Err(error) => {
                log::warn!("{name} does not answer: {error}; names may be missing");
                self.source = None;
                self.rests_until = Instant::now().checked_add(SILENT_FOR);
                None
            }
        }
    }

    /// Begins to connect, unless that goes on already or would be in vain.
    fn connect(&mut self) {
        let rests = self.rests_until.is_some_and(|until| Instant::now() < until);
        if self.connecting.is_none() && !rests && self.candidate.is_worth_asking() {
            self.connecting = Some(tokio::spawn(self.candidate.clone().ask()));
        }
    }

    /// Waits for what comes of connecting.
    async fn connected(&mut self) {
        let Some(connecting) = self.connecting.take() else { return };
        // A task ends early only by a panic, and those abort.
        let Ok(Asked { whom, answer, .. }) = connecting.await else { return };
        match answer {
            Ok(source) => {
                self.source = Some(source);
                self.rests_until = None;
            }
            Err(error) => {
                self.complain(&whom, &error);
                self.rests_until = Instant::now().checked_add(AWAY_FOR);
            }
        }
    }

    /// Once is enough: it may be away for good.
    fn complain(&self, whom: &str, error: &AskError) {
        // A containerd that serves Docker alone is no fault of the node.
        if error.is_not_served() || self.rests_until.is_some() {
            log::debug!("{whom}: {error}");
        } else {
            log::warn!("{whom}: {error}; names may be missing");
        }
    }
}
