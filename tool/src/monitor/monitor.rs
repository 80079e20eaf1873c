//! The monitor: from kernel events to updates.

use std::time::{Duration, Instant};

use tokio::time::{Interval, MissedTickBehavior, interval, sleep_until};

use super::naming::NamingQueue;
use super::options::MonitorOptions;
use super::reader::Reader;
use super::reconciler::Reconciler;
use crate::attribution::{Attribution, Naming};
use crate::host::{clock, process};
use crate::model::{Event, Lost, Owner, Selection, Session, Update};
use crate::probe::{Probe, ProbeError};
use crate::sessions::{OpenSession, SessionTable};

/// How often sessions that have waited in vain are closed, and open ones are checked.
const SESSION_TICK: Duration = Duration::from_millis(250);

/// How often lost records are reported.
const LOST_INTERVAL: Duration = Duration::from_secs(1);

/// A running monitor. Dropping it detaches the kernel programs.
pub struct Monitor {
    options: MonitorOptions,
    probe: Probe,
    reader: Reader,
    attribution: Attribution,
    sessions: SessionTable,
    reconciler: Reconciler,
    naming: NamingQueue,
    tick: Interval,
    lost: LostReport,
    /// How many open sessions are shown, whose bytes are counted at each tick.
    shown: usize,
    stage: Stage,
}

/// How far the monitor has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Running,
    /// Every event has been applied; updates may still wait for names.
    Drained,
    Over,
}

/// What was lost, as far as it has been reported.
struct LostReport {
    total: u64,
    last: Instant,
}

enum Wake {
    News,
    Tick,
    Names,
}

impl Monitor {
    /// Attaches the kernel programs and starts to read. When this returns, no exec is missed.
    ///
    /// Must be called within a tokio runtime.
    pub fn attach(options: MonitorOptions, attribution: Attribution) -> Result<Self, ProbeError> {
        let (probe, rings) = Probe::attach(&options.probe())?;
        let reader = Reader::start(rings)?;
        let period = if options.sessions { SESSION_TICK } else { LOST_INTERVAL };
        let mut tick = interval(period);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Ok(Self {
            options,
            probe,
            reader,
            attribution,
            sessions: SessionTable::default(),
            reconciler: Reconciler::default(),
            naming: NamingQueue::default(),
            tick,
            lost: LostReport { total: 0, last: Instant::now() },
            shown: 0,
            stage: Stage::Running,
        })
    }

    /// Waits for updates, of which there may be none yet; `None` once all have been returned after
    /// [`stop`](Self::stop). Cancel safe.
    pub async fn updates(&mut self) -> Result<Option<Vec<Update>>, ProbeError> {
        if self.stage == Stage::Over {
            return Ok(None);
        }
        let Self { reader, tick, attribution, naming, stage, .. } = self;
        let names_are_due = async {
            match naming.deadline() {
                Some(deadline) => sleep_until(deadline.into()).await,
                None => std::future::pending().await,
            }
        };
        let wake = tokio::select! {
            () = reader.news(), if *stage == Stage::Running => Wake::News,
            _ = tick.tick(), if *stage == Stage::Running => Wake::Tick,
            () = attribution.answered() => Wake::Names,
            () = names_are_due => Wake::Names,
        };
        match wake {
            Wake::News => self.apply_batch()?,
            Wake::Tick => self.tick()?,
            Wake::Names => {}
        }
        let mut released = Vec::new();
        self.naming.release(&mut self.attribution, Instant::now(), &mut released);
        if self.stage == Stage::Drained && self.naming.deadline().is_none() {
            self.stage = Stage::Over;
        }
        Ok(Some(released))
    }

    /// Detaches the kernel programs. What has happened until now still comes as updates.
    pub fn stop(&mut self) {
        self.probe.detach();
        self.reader.drain();
    }

    /// What was lost since the last report, also if that was a moment ago.
    pub fn take_lost(&mut self) -> Result<Option<Lost>, ProbeError> {
        let total = self.probe.lost()? + self.reader.lost();
        let events = total.saturating_sub(self.lost.total);
        self.lost = LostReport { total, last: Instant::now() };
        Ok((events > 0).then_some(Lost { events, total }))
    }

    /// Has the bytes of the `shown` oldest open sessions counted at each tick.
    pub fn count_bytes(&mut self, shown: usize) {
        self.shown = shown;
    }

    /// The open sessions that are selected: the oldest, up to `most`, and how many there are.
    pub fn open_sessions(
        &mut self,
        selection: &Selection,
        most: usize,
    ) -> (Vec<OpenSession>, usize) {
        let mut shown = Vec::new();
        let mut count = 0;
        for open in self.sessions.open() {
            // Without a filter, only the sessions that are shown need their names.
            if shown.len() >= most && selection.is_empty() {
                count += 1;
                continue;
            }
            let mut open = open.clone();
            let naming = self.attribution.owner(&open.session.target.placement);
            open.session.target.owner = match naming {
                Naming::Known(owner) | Naming::Pending(owner) => owner,
            };
            if selection.wants_session(&open.session) {
                count += 1;
                if shown.len() < most {
                    shown.push(open);
                }
            }
        }
        (shown, count)
    }

    fn apply_batch(&mut self) -> Result<(), ProbeError> {
        let batch = self.reader.take();
        let now = Instant::now();
        if self.options.sessions {
            let lost = self.probe.lost()? + self.reader.lost();
            self.sessions.note_lost(lost, clock::boottime_ns());
        }
        for event in batch.events {
            self.apply(event, now);
        }
        let expired = self.sessions.expire(batch.horizon_ns);
        self.report(expired, now);
        if batch.is_last {
            // What waits for one more event will not get it.
            let expired = self.sessions.expire(u64::MAX);
            self.report(expired, now);
            self.report_lost(now)?;
            self.stage = Stage::Drained;
        }
        Ok(())
    }

    /// Looks up what the event needs, while its process may still be there, and applies it.
    fn apply(&mut self, event: Event, now: Instant) {
        let mut changed = Vec::new();
        if self.options.sessions {
            let lookup = self.sessions.lookup_for(&event);
            let destination = lookup.map(|lookup| self.attribution.destination(lookup));
            changed = self.sessions.apply(&event, destination, process::can_be_entered);
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

    /// What does not come as an event.
    fn tick(&mut self) -> Result<(), ProbeError> {
        if self.options.sessions {
            let now_ns = clock::boottime_ns();
            self.reconciler.tick(&mut self.sessions, &mut self.probe, self.shown, now_ns);
            // A session may wait for an event that will not come: that shows in a later horizon.
            if self.sessions.open().len() > 0 {
                self.reader.poll();
            }
        }
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
