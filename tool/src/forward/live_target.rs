//! The target of a forward while the forward runs. It may restart.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, watch};
use tokio::time::{Instant, sleep, timeout_at};

use super::failure::Failure;
use super::listen_scan::{ListenScan, SCAN_INTERVAL};
use crate::model::Destination;
use crate::target::Target;

/// The target of a forward, and whether it runs.
pub(super) struct LiveTarget {
    states: watch::Sender<State>,
    /// How long a connection waits for a restart.
    wait: Duration,
    /// A connection waits.
    wanted: Notify,
    /// Where processes listen in the target.
    listeners: ListenScan,
}

/// The target as connections use it.
#[derive(Clone)]
pub(super) struct Current {
    pub(super) target: Arc<Target>,
    /// The same for records, with the names of its owner.
    pub(super) destination: Arc<Destination>,
}

/// Whether the target runs.
struct State {
    /// The last one that was found.
    current: Current,
    /// Why the target does not run now.
    down: Option<Down>,
}

/// A target that does not run.
struct Down {
    /// How it ended.
    ended: String,
    /// Why nothing has been found in its place yet.
    why: String,
}

impl LiveTarget {
    pub(super) fn new(current: Current, wait: Duration) -> Self {
        let (states, _) = watch::channel(State { current, down: None });
        Self { states, wait, wanted: Notify::new(), listeners: ListenScan::default() }
    }

    /// The target that was found last.
    pub(super) fn current(&self) -> Current {
        self.states.borrow().current.clone()
    }

    /// The target has ended. Connections wait from now on.
    pub(super) fn set_down(&self, ended: String) {
        let why = "it is being looked up".to_owned();
        self.states.send_modify(|state| state.down = Some(Down { ended, why }));
    }

    /// Nothing runs in its place yet.
    pub(super) fn set_why(&self, why: String) {
        self.states.send_if_modified(|state| {
            if let Some(down) = &mut state.down {
                down.why = why;
            }
            // Those who wait need not know.
            false
        });
    }

    /// The target runs again.
    pub(super) fn set_up(&self, current: Current) {
        self.states.send_replace(State { current, down: None });
    }

    /// Waits until a connection needs a target that does not run.
    pub(super) async fn wanted(&self) {
        self.wanted.notified().await;
    }

    /// Waits until this target has ended.
    pub(super) async fn ended(&self, current: &Current) {
        let is_other = |state: &State| {
            state.down.is_some() || !Arc::ptr_eq(&state.current.target, &current.target)
        };
        // The sender is never dropped before.
        let _ = self.states.subscribe().wait_for(is_other).await;
    }

    /// Begins to wait for a target that runs.
    pub(super) fn wait(&self) -> Wait<'_> {
        let states = self.states.subscribe();
        Wait { live: self, states, until: Instant::now() + self.wait, has_waited: false }
    }

    /// What nothing has come back of in time.
    fn not_back(&self) -> Failure {
        let state = self.states.borrow();
        let target = &state.current.target;
        let what = target.identity().map(ToString::to_string).unwrap_or_default();
        let (ended, why) = match (&state.down, target.check()) {
            (Some(down), _) => (down.ended.clone(), down.why.clone()),
            (None, Err(ended)) => (ended.to_string(), "it is being looked up".to_owned()),
            (None, Ok(())) => ("it had ended".to_owned(), "it has restarted just now".to_owned()),
        };
        Failure::NotBack { what, ended, within: self.wait, why }
    }
}

/// A connection that waits for its target.
pub(super) struct Wait<'a> {
    live: &'a LiveTarget,
    states: watch::Receiver<State>,
    until: Instant,
    has_waited: bool,
}

impl Wait<'_> {
    /// The target, once it runs. After a restart, this also waits until something listens on the
    /// port, in case the server starts later than its container: a connection that has waited this
    /// long should not be refused.
    pub(super) async fn target(&mut self, port: u16) -> Result<Current, Failure> {
        loop {
            match self.running()? {
                Some(current) if !self.has_waited || self.listens(&current, port).await => {
                    return Ok(current);
                }
                Some(_) => continue,
                None => {}
            }
            self.has_waited = true;
            self.live.wanted.notify_one();
            let changed = timeout_at(self.until, self.states.changed()).await;
            if changed.is_err() {
                return Err(self.live.not_back());
            }
        }
    }

    /// The target, if it runs now. An error if nothing can take its place.
    fn running(&mut self) -> Result<Option<Current>, Failure> {
        let state = self.states.borrow_and_update();
        match state.current.target.check() {
            Ok(()) => Ok(state.down.is_none().then(|| state.current.clone())),
            Err(ended) if state.current.target.identity().is_none() => {
                Err(Failure::TargetGone(ended))
            }
            // The follower has not noticed yet.
            Err(_) => Ok(None),
        }
    }

    /// Waits until something listens on the port or the time is up; `false` when the target ends.
    async fn listens(&self, current: &Current, port: u16) -> bool {
        let listens = async {
            while !self.live.listeners.listens(&current.target, port).await {
                sleep(SCAN_INTERVAL).await;
            }
            true
        };
        tokio::select! {
            listens = timeout_at(self.until, listens) => listens.unwrap_or(true),
            () = self.live.ended(current) => false,
        }
    }
}
