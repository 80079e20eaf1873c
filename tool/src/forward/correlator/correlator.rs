//! Joins what the forwarder does with what the kernel saw.
//!
//! The forwarder knows the client. The kernel knows what happened to the connection inside the pod.
//! Both mean the same connection when they name the same helper or the same socket. The kernel's
//! records come a moment later, and may be lost: the end of a connection waits for them for a
//! while, and is then reported without them.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use super::records::{self, Records};
use super::views::{JoinKey, KernelView, LocalView};
use super::watched::Watched;
use crate::forward::event::{Accepted, ForwardEvent, Report, Restart, Upstream};
use crate::model::{Client, Destination, Session, State, Update};

/// How long the end of a connection waits for the kernel's view: twice as long as a session waits
/// for the end of a connection after its process has closed the socket.
pub(super) const KERNEL_TIMEOUT_NS: u64 = 1_000_000_000;

/// How long a kernel session without a connection of the forwarder is kept. A helper that fails
/// early leaves such a session.
pub(super) const UNMATCHED_TIMEOUT_NS: u64 = 10_000_000_000;

/// All connections of a forwarder.
#[derive(Debug)]
pub struct Correlator {
    pub(super) records: Records,
    /// What the monitor sees; `None` without one.
    watched: Option<Watched>,
    /// By number of the connection.
    pub(super) local: HashMap<u64, LocalView>,
    pub(super) kernel: HashMap<JoinKey, KernelView>,
    /// Which connection has which key.
    pub(super) numbers: HashMap<JoinKey, u64>,
    /// Ends that wait for the kernel's view: (until when, number), the oldest first.
    waiting: VecDeque<(u64, u64)>,
}

impl Correlator {
    /// `watched`: which of the kernel's sessions a monitor will report.
    #[must_use]
    pub fn new(records: Records, watched: Option<Watched>) -> Self {
        Self {
            records,
            watched,
            local: HashMap::new(),
            kernel: HashMap::new(),
            numbers: HashMap::new(),
            waiting: VecDeque::new(),
        }
    }

    /// Takes an event of the forwarder, and returns what can be reported now.
    pub fn event(&mut self, event: ForwardEvent) -> Vec<Update> {
        let mut updates = Vec::new();
        match event {
            ForwardEvent::Accepted(accepted, target, client) => {
                self.accepted(accepted, target, client, &mut updates);
            }
            ForwardEvent::Dialed(accepted, upstream, target) => {
                self.dialed(&accepted, upstream, target, &mut updates);
            }
            ForwardEvent::Connected(accepted, time_ns) => {
                let Some(local) = self.local.get_mut(&accepted.number) else { return updates };
                local.answered_ns = Some(time_ns);
                // Only the kernel knows the address of a helper's connection.
                if !local.is_watched || local.upstream.helper_pid.is_none() {
                    self.answered(accepted.number, &mut updates);
                }
            }
            ForwardEvent::Closed(report) => self.closed(report, &mut updates),
            ForwardEvent::Trouble(trouble) => updates.push(Update::Trouble(trouble)),
            ForwardEvent::Restarted(Restart { words, .. }) => {
                updates.push(Update::Restarted(words));
            }
            ForwardEvent::TargetEnded(_) => {}
        }
        updates
    }

    /// Takes a session that the kernel saw, and returns what can be reported now.
    pub fn session(&mut self, session: Session) -> Vec<Update> {
        let mut updates = Vec::new();
        let Some(key) = JoinKey::of_session(&session) else { return updates };
        self.kernel.entry(key).or_default().apply(session);
        if let Some(&number) = self.numbers.get(&key) {
            self.settle(number, &mut updates);
        }
        updates
    }

    /// Reports the ends that have waited too long for the kernel's view, at `now_ns` of
    /// `CLOCK_BOOTTIME`.
    pub fn expire(&mut self, now_ns: u64) -> Vec<Update> {
        let mut updates = Vec::new();
        while let Some(&(until, number)) = self.waiting.front()
            && until <= now_ns
        {
            self.waiting.pop_front();
            self.end(number, &mut updates);
        }
        let numbers = &self.numbers;
        self.kernel.retain(|key, kernel| {
            numbers.contains_key(key)
                || kernel.time_ns.saturating_add(UNMATCHED_TIMEOUT_NS) > now_ns
        });
        updates
    }

    fn accepted(
        &mut self,
        accepted: Accepted,
        target: Arc<Destination>,
        client: Option<Arc<Client>>,
        updates: &mut Vec<Update>,
    ) {
        let local = LocalView::new(accepted, target, client, self.watched);
        let session = self.records.session(&local, accepted.time_ns, State::Started);
        updates.push(Update::Session(session.into()));
        self.local.insert(accepted.number, local);
    }

    fn dialed(
        &mut self,
        accepted: &Accepted,
        upstream: Upstream,
        target: Arc<Destination>,
        updates: &mut Vec<Update>,
    ) {
        let Some(local) = self.local.get_mut(&accepted.number) else { return };
        local.dialed(upstream, target, self.watched);
        if let Some(key) = JoinKey::of_upstream(upstream) {
            self.numbers.insert(key, accepted.number);
        }
        self.settle(accepted.number, updates);
    }

    fn closed(&mut self, report: Report, updates: &mut Vec<Update>) {
        let (number, time_ns) = (report.accepted.number, report.time_ns);
        let Some(local) = self.local.get_mut(&number) else { return };
        local.report = Some(report);
        if local.is_watched && local.key().is_some() {
            self.waiting.push_back((time_ns.saturating_add(KERNEL_TIMEOUT_NS), number));
            self.settle(number, updates);
        } else {
            self.end(number, updates);
        }
    }

    /// Reports what can be reported now that one of the two views has changed.
    fn settle(&mut self, number: u64, updates: &mut Vec<Update>) {
        let Some(local) = self.local.get_mut(&number) else { return };
        let Some(kernel) = local.key().and_then(|key| self.kernel.get(&key)) else { return };
        local.upstream.helper_start_ns = kernel.helper_start_ns;
        let is_over = local.report.is_some() && kernel.closed.is_some();
        if kernel.connected.is_some() {
            self.answered(number, updates);
        }
        if is_over {
            self.end(number, updates);
        }
    }

    /// The target has answered, as the kernel or the forwarder saw it.
    fn answered(&mut self, number: u64, updates: &mut Vec<Update>) {
        let Some(local) = self.local.get_mut(&number) else { return };
        let kernel = local.key().and_then(|key| self.kernel.get(&key));
        let kernel = kernel.and_then(|kernel| kernel.connected.as_ref());
        let time_ns = kernel.map(|session| session.time_ns).or(local.answered_ns);
        let Some(time_ns) = time_ns else { return };
        if std::mem::replace(&mut local.is_answer_reported, true) {
            return;
        }
        let address = kernel.and_then(|session| session.address);
        local.upstream.address = address.or(local.upstream.address);
        let session = self.records.session(local, time_ns, State::Connected);
        updates.push(Update::Session(session.into()));
    }

    /// Reports the end, without waiting for more.
    fn end(&mut self, number: u64, updates: &mut Vec<Update>) {
        if self.local.get(&number).is_none_or(|local| local.report.is_none()) {
            return;
        }
        self.answered(number, updates);
        let Some(local) = self.local.remove(&number) else { return };
        let Some(report) = &local.report else { return };
        let kernel = local.key().and_then(|key| {
            // A later helper may have the same pid by now.
            if self.numbers.get(&key) == Some(&number) {
                self.numbers.remove(&key);
            }
            self.kernel.remove(&key)?.closed
        });
        let state = State::Closed(records::closed(report, kernel));
        let session = self.records.session(&local, report.time_ns, state);
        updates.push(Update::Session(session.into()));
    }
}
