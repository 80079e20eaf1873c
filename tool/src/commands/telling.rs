//! A forward that runs, told as it goes: by itself, and by the kernel.

use std::time::Duration;

use anyhow::{Context as _, Result};
use tokio::sync::mpsc::Receiver;
use tokio::time::{MissedTickBehavior, interval};

use super::children::Children;
use super::report::Screen;
use super::stop::Stop;
use crate::forward::{Account, Forwarder, Notice, Records};
use crate::node::{clock, process};
use crate::output::TextOrJson;
use crate::trace::{Destination, Program, Session, Via};

/// How often ends that wait in vain for the kernel's word are told without.
const TICK: Duration = Duration::from_millis(250);

/// Everything between what is known of a forward and what is printed of it.
pub(super) struct Telling {
    children: Children,
    account: Account,
    screen: Screen,
}

impl Telling {
    /// Of a forward by that road to there.
    pub(super) fn new(
        mut children: Children,
        via: Via,
        destination: Destination,
        output: TextOrJson,
    ) -> Result<Self> {
        let pid = std::process::id();
        // The kernel side takes no notice of a socket in its process's own namespace.
        let is_inside =
            destination.netns.is_some() && destination.netns == process::netns_of(pid).ok();
        let is_watched = children.is_watching() && !(via == Via::Native && is_inside);
        children.lead_to(destination.clone(), output);
        let comm = rustix::thread::name().context("cannot read the own process's name")?;
        let forwarder = Program { pid, comm: comm.into_bytes().into() };
        let start_ns = clock::boottime_ns();
        let records = Records { forwarder, start_ns, via, target: destination };
        let account = Account::new(records, is_watched);
        Ok(Self { children, account, screen: Screen::new(output) })
    }

    /// Where it is told.
    pub(super) fn screen(&self) -> &Screen {
        &self.screen
    }

    /// The line above the rows of children.
    pub(super) fn header(&mut self) -> Result<()> {
        self.children.header()
    }

    /// Tells what happens until it is to stop.
    pub(super) async fn run(
        &mut self,
        notices: &mut Receiver<Notice>,
        stop: &mut Stop,
    ) -> Result<()> {
        let mut tick = interval(TICK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                biased;
                // However much there is to tell.
                () = stop.wait() => return Ok(()),
                // A connection is announced before what was spawned for it.
                Some(notice) = notices.recv() => self.screen.tell(&self.account.notice(notice))?,
                sessions = self.children.show() => self.seen(sessions?)?,
                _ = tick.tick() => {
                    let sessions = self.children.expire()?;
                    self.seen(sessions)?;
                    self.screen.tell(&self.account.expire(clock::boottime_ns()))?;
                }
            }
        }
    }

    /// Stops the forwarder, and tells what is left to tell.
    pub(super) async fn finish(
        mut self,
        forwarder: Forwarder,
        notices: &mut Receiver<Notice>,
    ) -> Result<()> {
        let stopping = forwarder.stop();
        tokio::pin!(stopping);
        loop {
            tokio::select! {
                Some(notice) = notices.recv() => self.screen.tell(&self.account.notice(notice))?,
                () = &mut stopping => break,
            }
        }
        while let Ok(notice) = notices.try_recv() {
            self.screen.tell(&self.account.notice(notice))?;
        }
        let sessions = self.children.show_rest()?;
        self.seen(sessions)?;
        self.screen.tell(&self.account.expire(u64::MAX))?;
        self.screen.sum_up()
    }

    fn seen(&mut self, sessions: Vec<Session>) -> Result<()> {
        for session in sessions {
            self.screen.tell(&self.account.seen(session))?;
        }
        Ok(())
    }
}
