//! Reading the ring buffers: cheap under load, prompt when there is little.
//!
//! Announcing a record costs the traced process far more than writing it. So the kernel programs
//! announce only helpers, and otherwise only the first record after the reader said that it sleeps; a
//! reader that has just been busy comes by itself every few milliseconds.

use std::collections::VecDeque;
use std::time::Duration;

use aya::Ebpf;
use aya::maps::{Array, Map, MapData, RingBuf};
use pfsnoop_common::names;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::time::timeout;

use super::{Options, ProbeError, decode, map_failed};
use crate::node::clock;
use crate::trace::Event;

/// How a busy reader looks.
#[derive(Clone, Copy)]
struct Pace {
    /// How often.
    every: Duration,
    /// How many looks in vain before it sleeps.
    idle_looks: u32,
}

/// For everything that happens on a node, which is much and of no hurry.
const EASY: Pace = Pace { every: Duration::from_millis(4), idle_looks: 5 };
/// For the matches of a filter: a person waits for them, who have few, or else many at once.
const BRISK: Pace = Pace { every: Duration::from_millis(1), idle_looks: 2 };
/// A record whose program looked just before the reader said that it sleeps is committed by then.
const GRACE: Duration = Duration::from_millis(2);
/// A sleeper looks this often, against an announcement lost to a delay beyond [`GRACE`].
const LONGEST_SLEEP: Duration = Duration::from_secs(1);

/// Most records taken from a ring at once: what is not yet shown waits in the kernel's buffer, whose
/// overflow is counted, and not in memory of ours without bound.
const BATCH: usize = 512;

/// How soon the reader looks again.
#[derive(Clone, Copy)]
enum State {
    /// There was something a moment ago; so many looks have been in vain since.
    Busy { looks: u32 },
    /// The kernel programs were asked to announce the next record.
    Asleep,
}

/// One ring buffer, and what was taken from it.
struct Ring {
    buffer: AsyncFd<RingBuf<MapData>>,
    /// Not handed on yet, in the order of time; a batch at most.
    taken: VecDeque<Event>,
}

/// Both ring buffers and the flag that asks to be woken.
pub(super) struct Reader {
    events: Ring,
    helpers: Ring,
    sleeps: Array<MapData, u32>,
    pace: Pace,
    state: State,
    undecodable: u64,
}

impl Reader {
    pub(super) fn new(programs: &mut Ebpf, options: &Options) -> Result<Self, ProbeError> {
        let sleeps = take(programs, names::READER_SLEEPS)?;
        let has_filter = options.settings.filters != 0 && !options.connections;
        Ok(Self {
            events: ring(programs, names::EVENTS)?,
            helpers: ring(programs, names::HELPER_EVENTS)?,
            sleeps: Array::try_from(sleeps).map_err(map_failed)?,
            pace: if has_filter { BRISK } else { EASY },
            state: State::Busy { looks: 0 },
            undecodable: 0,
        })
    }

    /// Waits for at least one event.
    pub(super) async fn read(&mut self, events: &mut Vec<Event>) -> Result<(), ProbeError> {
        loop {
            let before = events.len();
            self.read_ready(events);
            if events.len() > before {
                self.state = State::Busy { looks: 0 };
                return Ok(());
            }
            self.wait_a_while().await?;
        }
    }

    /// One step between busy and asleep.
    async fn wait_a_while(&mut self) -> Result<(), ProbeError> {
        match self.state {
            State::Busy { looks } if looks < self.pace.idle_looks => {
                self.state = State::Busy { looks: looks + 1 };
                self.wait(self.pace.every).await
            }
            State::Busy { .. } => {
                self.sleeps.set(0, 1, 0).map_err(map_failed)?;
                self.state = State::Asleep;
                self.wait(GRACE).await
            }
            State::Asleep => self.wait(LONGEST_SLEEP).await,
        }
    }

    /// Takes what is there from both rings, up to a batch of each, in the order of time: where one has
    /// more than a batch, what is newer in the other waits.
    pub(super) fn read_ready(&mut self, events: &mut Vec<Event>) {
        let before = events.len();
        loop {
            self.read_once(events);
            let holds_back = !self.events.taken.is_empty() || !self.helpers.taken.is_empty();
            if events.len() > before || !holds_back {
                break;
            }
        }
    }

    fn read_once(&mut self, events: &mut Vec<Event>) {
        let before = events.len();
        // What comes from now on may come to the second ring, and not to the first any more.
        let mut horizon_ns = clock::boottime_ns();
        for ring in [&mut self.events, &mut self.helpers] {
            self.undecodable += ring.take();
            if let Some(last) = ring.taken.back().filter(|_| ring.taken.len() >= BATCH) {
                horizon_ns = horizon_ns.min(last.time_ns());
            }
        }
        for Ring { taken, .. } in [&mut self.events, &mut self.helpers] {
            let due = taken.partition_point(|event| event.time_ns() <= horizon_ns);
            events.extend(taken.drain(..due));
        }
        if let Some(new) = events.get_mut(before..) {
            new.sort_by_key(Event::time_ns);
        }
    }

    /// Records that arrived but could not be decoded, since the start.
    pub(super) fn undecodable(&self) -> u64 {
        self.undecodable
    }

    /// Until either ring announces a record, or the time is over.
    async fn wait(&mut self, longest: Duration) -> Result<(), ProbeError> {
        let either = async {
            tokio::select! {
                ready = self.events.buffer.readable() => ready.map(|mut guard| guard.clear_ready()),
                ready = self.helpers.buffer.readable() => ready.map(|mut guard| guard.clear_ready()),
            }
        };
        timeout(longest, either).await.unwrap_or(Ok(())).map_err(ProbeError::Wait)
    }
}

impl Ring {
    /// Fills up the batch; returns how many records made no sense.
    fn take(&mut self) -> u64 {
        let Self { buffer, taken } = self;
        let mut undecodable = 0;
        while taken.len() < BATCH
            && let Some(record) = buffer.get_mut().next()
        {
            match decode(&record) {
                Ok(event) => taken.push_back(event),
                Err(error) => {
                    log::warn!("a record of {} bytes makes no sense: {error}", record.len());
                    undecodable += 1;
                }
            }
        }
        // CPUs that write at the same time may do so in another order.
        taken.make_contiguous().sort_by_key(Event::time_ns);
        undecodable
    }
}

fn ring(programs: &mut Ebpf, name: &'static str) -> Result<Ring, ProbeError> {
    let ring = RingBuf::try_from(take(programs, name)?).map_err(map_failed)?;
    // SAFETY: the ring buffer owns its file descriptor and never changes it.
    let buffer = unsafe { AsyncFd::register_with_interest(ring, Interest::READABLE) };
    let buffer = buffer.map_err(|error| ProbeError::Wait(error.into()))?;
    Ok(Ring { buffer, taken: VecDeque::new() })
}

/// The map of that name in our object.
pub(super) fn take(programs: &mut Ebpf, name: &'static str) -> Result<Map, ProbeError> {
    let missing = || ProbeError::Aya { doing: "find a map", source: name.into() };
    programs.take_map(name).ok_or_else(missing)
}
