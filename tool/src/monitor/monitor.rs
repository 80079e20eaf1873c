//! The monitor: from kernel events to updates.

use std::time::{Duration, Instant};

use tokio::time::{Interval, MissedTickBehavior, interval, sleep_until};

use super::foreign_pids;
use super::naming::NamingQueue;
use super::options::MonitorOptions;
use super::reader::Reader;
use super::reconciler::Reconciler;
use crate::attribution::{Attribution, Naming};
use crate::host::memory::AfterBurst;
use crate::model::{Destination, Losses, Lost, Selection, Update};
use crate::probe::{Probe, ProbeError};
use crate::sessions::{OpenSession, SessionTable};

/// How often overdue sessions are closed, and open sessions are checked.
const SESSION_TICK: Duration = Duration::from_millis(250);

/// How often the folder of the filter's cgroup is checked.
const CGROUP_INTERVAL: Duration = Duration::from_millis(100);

/// How often lost records are reported.
pub(super) const LOST_INTERVAL: Duration = Duration::from_secs(1);

/// A running monitor. Dropping it detaches the kernel programs.
pub struct Monitor {
    pub(super) options: MonitorOptions,
    pub(super) probe: Probe,
    pub(super) reader: Reader,
    pub(super) attribution: Attribution,
    pub(super) sessions: SessionTable,
    pub(super) reconciler: Reconciler,
    pub(super) naming: NamingQueue,
    pub(super) burst: AfterBurst,
    tick: Interval,
    pub(super) lost: LostReport,
    /// How many open sessions are shown. Their bytes are counted at each tick.
    pub(super) shown: usize,
    /// The user knows that the filter's cgroup was removed.
    pub(super) is_cgroup_gone: bool,
    pub(super) stage: Stage,
}

/// The stage of the monitor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    Running,
    /// Every event has been applied; updates may still wait for names.
    Drained,
    Over,
}

/// The last report of lost records.
pub(super) struct LostReport {
    /// What kernel programs lost that were replaced since.
    pub(super) before: Losses,
    reported: Losses,
    pub(super) last: Instant,
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
        foreign_pids::note();
        let reader = Reader::start(rings)?;
        let period = match (options.sessions, &options.cgroup) {
            (_, Some(_)) => CGROUP_INTERVAL,
            (true, None) => SESSION_TICK,
            (false, None) => LOST_INTERVAL,
        };
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
            burst: AfterBurst::default(),
            tick,
            lost: LostReport {
                before: Losses::default(),
                reported: Losses::default(),
                last: Instant::now(),
            },
            shown: 0,
            is_cgroup_gone: false,
            stage: Stage::Running,
        })
    }

    /// Waits for updates; the list may be empty. `None` once everything has been returned after
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

    /// Everything leads to this destination from now on.
    pub fn set_destination(&mut self, destination: &Destination) {
        self.attribution.set_fixed(destination.clone());
    }

    /// Detaches the kernel programs. What has happened until now still comes as updates.
    pub fn stop(&mut self) {
        self.probe.detach();
        self.reader.drain();
    }

    /// What was lost since the start.
    pub(super) fn losses(&self) -> Result<Losses, ProbeError> {
        Ok(self.lost.before + self.probe.losses()? + self.reader.losses())
    }

    /// What was lost since the last report, even if that was a moment ago.
    pub fn take_lost(&mut self) -> Result<Option<Lost>, ProbeError> {
        let losses = self.losses()?;
        let (total, reported) = (losses.total(), self.lost.reported);
        let events = total.saturating_sub(reported.total());
        let places = losses.places - reported.places;
        self.lost = LostReport { reported: losses, last: Instant::now(), ..self.lost };
        Ok((events > 0).then_some(Lost { events, total, places }))
    }

    /// Has the bytes of the `shown` oldest open sessions counted at each tick.
    pub fn count_bytes(&mut self, shown: usize) {
        self.shown = shown;
    }

    /// The oldest of the selected open sessions, at most `most` of them, and how many are selected.
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
}
