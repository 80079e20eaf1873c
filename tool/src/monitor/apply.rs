//! Applies events to the sessions, and queues the updates.

use std::time::Instant;

use super::monitor::{LOST_INTERVAL, Monitor, Stage};
use crate::host::{clock, process};
use crate::model::{Event, LookedUp, Owner, Session, Update};
use crate::probe::ProbeError;

impl Monitor {
    /// Applies a batch of events, and closes the sessions that are overdue after it.
    pub(super) fn apply_batch(&mut self) -> Result<(), ProbeError> {
        let batch = self.reader.take();
        self.burst.note(batch.bytes);
        let now = Instant::now();
        if self.options.sessions {
            let losses = self.losses()?;
            self.sessions.note_lost(losses, clock::boottime_ns());
        }
        for event in batch.events {
            self.apply(event, now);
        }
        let expired = self.sessions.expire(batch.horizon_ns);
        self.report(expired, now);
        if batch.is_last {
            // Sessions that wait for one more event will not get it.
            let expired = self.sessions.expire(u64::MAX);
            self.report(expired, now);
            self.report_lost(now)?;
            self.stage = Stage::Drained;
        }
        Ok(())
    }

    /// Looks up what the event needs, while its process may still be there, and applies it.
    pub(super) fn apply(&mut self, event: Event, now: Instant) {
        let mut changed = Vec::new();
        if self.options.sessions {
            let lookup = self.sessions.lookup_for(&event);
            let forwarder = self.sessions.forwarder_of(&event);
            // First what may be gone first: a target runs for longer than some forwarders.
            let forwarder_exe = forwarder.and_then(|(pid, at_ns)| process::exe_at(pid, at_ns));
            let destination = lookup.map(|lookup| self.attribution.destination(lookup));
            let looked_up = LookedUp { destination, forwarder_exe };
            let can_enter = |name| self.attribution.can_be_entered(name);
            changed = self.sessions.apply(&event, looked_up, can_enter);
        }
        match event {
            Event::Exec(exec) if self.options.execs && self.options.filter.matches(&exec) => {
                let placement = Some(self.attribution.place(&exec));
                let update = Update::Exec(Box::new(exec), Owner::default());
                self.naming.push(update, placement, now);
            }
            Event::Exit(exit) if self.options.exits => {
                self.naming.push(Update::Exit(exit), None, now);
            }
            _ => {}
        }
        self.report(changed, now);
    }

    fn report(&mut self, changed: Vec<Session>, now: Instant) {
        for session in changed {
            self.naming.push(Update::Session(Box::new(session)), None, now);
        }
    }

    /// Does the work that no event triggers.
    pub(super) fn tick(&mut self) -> Result<(), ProbeError> {
        if self.options.sessions {
            let now_ns = clock::boottime_ns();
            self.reconciler.tick(&mut self.sessions, &mut self.probe, self.shown, now_ns);
            // A session may wait for an event that will not come. Only a later horizon shows that.
            if self.sessions.open().len() > 0 {
                self.reader.poll();
            }
        }
        self.burst.check();
        self.follow_cgroup()?;
        if self.lost.last.elapsed() >= LOST_INTERVAL {
            self.report_lost(Instant::now())?;
        }
        Ok(())
    }

    fn report_lost(&mut self, now: Instant) -> Result<(), ProbeError> {
        if let Some(lost) = self.take_lost()? {
            self.naming.push(Update::Lost(lost), None, now);
        }
        Ok(())
    }
}
