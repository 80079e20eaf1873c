//! The account of a forward: what the forwarder does, put beside what the kernel saw of it.
//!
//! The forwarder knows the client; how a connection fared in the pod is for the kernel to tell. The
//! two are one connection when they name the same helper, or the same socket. The kernel's records
//! come a moment later, and may be lost: an end waits for them a while, and is then told without.

mod records;
mod sides;

#[cfg(test)]
mod tests;

use std::collections::{HashMap, VecDeque};

pub use records::Records;
use sides::{Link, Ours, Seen};

use super::PortPair;
use super::notice::{Begun, Failure, FarEnd, Notice, Report};
use crate::trace::{Session, State};

/// How long the end of a connection waits for the kernel's word: twice what the kernel's own events
/// wait for one another (`trace::sessions`).
const PATIENCE_NS: u64 = 500_000_000;

/// How long a session is remembered that no connection has claimed: a helper that failed before it
/// could carry anything.
const UNCLAIMED_NS: u64 = 10_000_000_000;

/// Something to tell.
#[derive(Debug)]
pub enum Told {
    /// A connection came into a state; its own error, when that is its end and it has one.
    Session(PortPair, Box<Session>, Option<Failure>),
    /// What is about no connection.
    Notice(Notice),
}

/// All connections of a forward.
#[derive(Debug)]
pub struct Account {
    records: Records,
    is_watched: bool,
    /// By number.
    ours: HashMap<u64, Ours>,
    seen: HashMap<Link, Seen>,
    /// Which connection has which link.
    numbers: HashMap<Link, u64>,
    /// Ends that wait for the kernel's word: (until when, number), the oldest first.
    waiting: VecDeque<(u64, u64)>,
}

impl Account {
    /// Of a forwarder. `is_watched` says that the kernel's sessions will be [`seen`](Self::seen).
    #[must_use]
    pub fn new(records: Records, is_watched: bool) -> Self {
        Self {
            records,
            is_watched,
            ours: HashMap::new(),
            seen: HashMap::new(),
            numbers: HashMap::new(),
            waiting: VecDeque::new(),
        }
    }

    /// The forwarder told something; returns what that makes known.
    pub fn notice(&mut self, notice: Notice) -> Vec<Told> {
        let mut told = Vec::new();
        match notice {
            Notice::Handling(begun) => {
                let far_end = FarEnd::default();
                let session = self.records.session(&begun, begun.time_ns, far_end, State::Started);
                told.push(Told::Session(begun.pair, session.into(), None));
                self.ours.insert(begun.number, Ours::new(begun));
            }
            Notice::Dialed(begun, far_end) => self.dialed(&begun, far_end, &mut told),
            Notice::Connected(begun, time_ns) => {
                let Some(ours) = self.ours.get_mut(&begun.number) else { return told };
                ours.answered_ns = Some(time_ns);
                // Of a helper's connection the kernel knows where it leads.
                if !self.is_watched || ours.far_end.helper_pid.is_none() {
                    self.answered(begun.number, &mut told);
                }
            }
            Notice::Closed(report) => self.closed(report, &mut told),
            Notice::TooMany(..) | Notice::NotAccepted(..) => told.push(Told::Notice(notice)),
        }
        told
    }

    /// The kernel saw a session of ours come into a state.
    pub fn seen(&mut self, session: Session) -> Vec<Told> {
        let mut told = Vec::new();
        let Some(link) = Link::of_session(&session) else { return told };
        self.seen.entry(link).or_default().take(session);
        if let Some(&number) = self.numbers.get(&link) {
            self.settle(number, &mut told);
        }
        told
    }

    /// Tells the ends that have waited for the kernel's word until now, `CLOCK_BOOTTIME`, ns, without.
    pub fn expire(&mut self, now_ns: u64) -> Vec<Told> {
        let mut told = Vec::new();
        while let Some(&(until, number)) = self.waiting.front()
            && until <= now_ns
        {
            self.waiting.pop_front();
            self.end(number, &mut told);
        }
        let numbers = &self.numbers;
        self.seen.retain(|link, seen| {
            numbers.contains_key(link) || seen.time_ns.saturating_add(UNCLAIMED_NS) > now_ns
        });
        told
    }

    fn dialed(&mut self, begun: &Begun, far_end: FarEnd, told: &mut Vec<Told>) {
        let Some(ours) = self.ours.get_mut(&begun.number) else { return };
        ours.far_end = far_end;
        if let Some(link) = Link::of(far_end) {
            self.numbers.insert(link, begun.number);
        }
        self.settle(begun.number, told);
    }

    fn closed(&mut self, report: Report, told: &mut Vec<Told>) {
        let (number, time_ns) = (report.begun.number, report.time_ns);
        let Some(ours) = self.ours.get_mut(&number) else { return };
        ours.report = Some(report);
        if self.is_watched && Link::of(ours.far_end).is_some() {
            self.waiting.push_back((time_ns.saturating_add(PATIENCE_NS), number));
            self.settle(number, told);
        } else {
            self.end(number, told);
        }
    }

    /// Tells what can be told now that one side has come further.
    fn settle(&mut self, number: u64, told: &mut Vec<Told>) {
        let Some(ours) = self.ours.get(&number) else { return };
        let Some(seen) = Link::of(ours.far_end).and_then(|link| self.seen.get(&link)) else {
            return;
        };
        let is_over = ours.report.is_some() && seen.closed.is_some();
        if seen.connected.is_some() {
            self.answered(number, told);
        }
        if is_over {
            self.end(number, told);
        }
    }

    /// The target has answered, as the kernel or the forwarder saw it.
    fn answered(&mut self, number: u64, told: &mut Vec<Told>) {
        let Some(ours) = self.ours.get_mut(&number) else { return };
        let seen = Link::of(ours.far_end).and_then(|link| self.seen.get(&link));
        let seen = seen.and_then(|seen| seen.connected.as_ref());
        let Some(time_ns) = seen.map(|seen| seen.time_ns).or(ours.answered_ns) else { return };
        if std::mem::replace(&mut ours.is_answer_told, true) {
            return;
        }
        let address = seen.and_then(|seen| seen.address);
        ours.far_end.address = address.or(ours.far_end.address);
        let state = State::Connected;
        let session = self.records.session(&ours.begun, time_ns, ours.far_end, state);
        told.push(Told::Session(ours.begun.pair, session.into(), None));
    }

    /// Nothing more is waited for.
    fn end(&mut self, number: u64, told: &mut Vec<Told>) {
        if self.ours.get(&number).is_none_or(|ours| ours.report.is_none()) {
            return;
        }
        self.answered(number, told);
        let Some(Ours { begun, far_end, report: Some(report), .. }) = self.ours.remove(&number)
        else {
            return;
        };
        let seen = Link::of(far_end).and_then(|link| {
            // A later helper may have got the pid by now.
            if self.numbers.get(&link) == Some(&number) {
                self.numbers.remove(&link);
            }
            self.seen.remove(&link)?.closed
        });
        let state = State::Closed(records::closed(&report, seen));
        let session = self.records.session(&begun, report.time_ns, far_end, state);
        told.push(Told::Session(begun.pair, session.into(), report.end.err()));
    }
}
