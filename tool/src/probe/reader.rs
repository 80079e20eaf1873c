//! Reads the ring buffers: cheaply under load, promptly when there is little.
//!
//! Waking the reader costs the traced process far more than writing a record. So the kernel
//! programs wake the reader only for the execs and exits of helpers, and for the first record after
//! the reader has announced that it sleeps. A reader that was busy a moment ago polls every few
//! milliseconds.

use std::collections::VecDeque;
use std::time::Duration;

use aya::Ebpf;
use aya::maps::{Array, Map, MapData, RingBuf};
use pfsnoop_common::names;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::time::timeout;

use super::error::{ProbeError, map_failed};
use super::object::take_map;
use super::{Options, decode};
use crate::host::clock;
use crate::model::Event;

/// How often a busy reader polls.
#[derive(Clone, Copy)]
struct Pace {
    interval: Duration,
    /// How many polls may find nothing before the reader sleeps.
    idle_polls: u32,
}

/// For everything that happens on a node: many records, none of them urgent.
const RELAXED: Pace = Pace { interval: Duration::from_millis(4), idle_polls: 5 };
/// For the matches of a filter: a person waits for them, and they are few or come all at once.
const PROMPT: Pace = Pace { interval: Duration::from_millis(1), idle_polls: 2 };
/// By then, a program that checked the sleep flag just before the reader set it has sent its
/// record.
const SLEEP_GRACE: Duration = Duration::from_millis(2);
/// A sleeping reader polls this often, in case a wake-up came later than [`SLEEP_GRACE`].
const MAX_SLEEP: Duration = Duration::from_secs(1);

/// At most this many records are taken from a ring at once.
const BATCH: usize = 512;

/// No more records are taken from a ring once those that were taken have this many bytes, as
/// [`Event::memory`] counts them. So the bound of a batch is this and one record, whatever the arguments
/// of the traced processes are.
const BATCH_BYTES: usize = 1024 * 1024;

/// The maps that carry records, until a [`RingReader`] opens them in its own thread.
pub struct Rings {
    events: Map,
    helpers: Map,
    sleeps: Map,
    pace: Pace,
}

impl Rings {
    pub(super) fn take(programs: &mut Ebpf, options: &Options) -> Result<Self, ProbeError> {
        let has_filter = super::settings::settings(&options.filter).filters != 0;
        Ok(Self {
            events: take_map(programs, names::EVENTS)?,
            helpers: take_map(programs, names::HELPER_EVENTS)?,
            sleeps: take_map(programs, names::READER_SLEEPS)?,
            pace: if has_filter && !options.connections { PROMPT } else { RELAXED },
        })
    }
}

/// How soon the reader polls again.
#[derive(Clone, Copy)]
enum State {
    /// There was a record a moment ago; since then, this many polls have found nothing.
    Busy { polls: u32 },
    /// The kernel programs were asked to wake the reader for the next record.
    Asleep,
}

/// One ring buffer, and the events taken from it.
struct Ring {
    buffer: AsyncFd<RingBuf<MapData>>,
    /// Events that were not handed on yet, in the order of time: at most a batch.
    taken: VecDeque<Event>,
    /// Their memory.
    bytes: usize,
}

/// Reads both ring buffers.
pub struct RingReader {
    events: Ring,
    helpers: Ring,
    sleeps: Array<MapData, u32>,
    pace: Pace,
    state: State,
    undecodable: u64,
    /// The time of the newest event that was taken from a ring.
    newest_ns: u64,
}

impl RingReader {
    /// Opens the rings. Must be called within the tokio runtime that will read them.
    pub fn open(rings: Rings) -> Result<Self, ProbeError> {
        Ok(Self {
            events: Ring::open(rings.events)?,
            helpers: Ring::open(rings.helpers)?,
            sleeps: Array::try_from(rings.sleeps).map_err(map_failed)?,
            pace: rings.pace,
            state: State::Busy { polls: 0 },
            undecodable: 0,
            newest_ns: 0,
        })
    }

    /// Waits for at least one event and adds a batch to `events`, in the order of time. Returns its
    /// horizon, as [`read_ready`](Self::read_ready).
    ///
    /// Cancel safe: an event that was taken from a ring is in `events` or comes with the next
    /// batch.
    pub async fn read(&mut self, events: &mut Vec<Event>) -> Result<u64, ProbeError> {
        loop {
            let before = events.len();
            let horizon_ns = self.read_ready(events);
            if events.len() > before {
                self.state = State::Busy { polls: 0 };
                return Ok(horizon_ns);
            }
            self.wait_a_while().await?;
        }
    }

    /// Adds a batch of what is there, without waiting. Returns the horizon: every record from
    /// before that time (`CLOCK_BOOTTIME`, ns) has been read or was lost.
    pub fn read_ready(&mut self, events: &mut Vec<Event>) -> u64 {
        let before = events.len();
        loop {
            let horizon_ns = self.read_once(events);
            let holds_back = !self.events.taken.is_empty() || !self.helpers.taken.is_empty();
            if events.len() > before || !holds_back {
                return horizon_ns;
            }
        }
    }

    /// Records that arrived but could not be decoded, since the start.
    #[must_use]
    pub fn undecodable(&self) -> u64 {
        self.undecodable
    }

    /// Takes what is there from both rings, up to a batch from each. If one ring has more than a
    /// batch, newer events of the other ring are held back.
    fn read_once(&mut self, events: &mut Vec<Event>) -> u64 {
        let before = events.len();
        // Of the records that are made from now on, a newer one may be in the ring that is read
        // second, while an older one is in the ring that was read first.
        //
        // The kernel's clock has passed the newest event of an earlier turn, whatever our clock says. So
        // no event is held back twice, and the loops that wait for this one end.
        let mut horizon_ns = clock::boottime_ns().max(self.newest_ns);
        for ring in [&mut self.events, &mut self.helpers] {
            self.undecodable += ring.fill();
            let Some(last) = ring.taken.back() else { continue };
            self.newest_ns = self.newest_ns.max(last.time_ns());
            if ring.is_full() {
                horizon_ns = horizon_ns.min(last.time_ns());
            }
        }
        for ring in [&mut self.events, &mut self.helpers] {
            ring.hand_on(horizon_ns, events);
        }
        if let Some(new) = events.get_mut(before..) {
            new.sort_by_key(Event::time_ns);
        }
        horizon_ns
    }

    /// One step between busy and asleep.
    async fn wait_a_while(&mut self) -> Result<(), ProbeError> {
        match self.state {
            State::Busy { polls } if polls < self.pace.idle_polls => {
                self.state = State::Busy { polls: polls + 1 };
                self.wait(self.pace.interval).await
            }
            State::Busy { .. } => {
                self.sleeps.set(0, 1, 0).map_err(map_failed)?;
                self.state = State::Asleep;
                self.wait(SLEEP_GRACE).await
            }
            State::Asleep => self.wait(MAX_SLEEP).await,
        }
    }

    /// Waits until either ring wakes the reader, or the time is up.
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
    fn open(map: Map) -> Result<Self, ProbeError> {
        let ring = RingBuf::try_from(map).map_err(map_failed)?;
        // SAFETY: the ring buffer owns its file descriptor and never changes it.
        let buffer = unsafe { AsyncFd::register_with_interest(ring, Interest::READABLE) };
        let buffer = buffer.map_err(|error| ProbeError::Wait(error.into()))?;
        Ok(Self { buffer, taken: VecDeque::new(), bytes: 0 })
    }

    /// Fills up the batch; returns how many records could not be decoded.
    fn fill(&mut self) -> u64 {
        let mut undecodable = 0;
        while !self.is_full()
            && let Some(record) = self.buffer.get_mut().next()
        {
            match decode(&record) {
                Ok(event) => {
                    self.bytes += event.memory();
                    self.taken.push_back(event);
                }
                Err(error) => {
                    log::warn!("cannot decode a record of {} bytes: {error}", record.len());
                    undecodable += 1;
                }
            }
        }
        // CPUs that write at the same moment may write out of order.
        self.taken.make_contiguous().sort_by_key(Event::time_ns);
        undecodable
    }

    /// Whether there is a batch.
    fn is_full(&self) -> bool {
        self.taken.len() >= BATCH || self.bytes >= BATCH_BYTES
    }

    /// Moves the events up to the horizon to `events`.
    fn hand_on(&mut self, horizon_ns: u64, events: &mut Vec<Event>) {
        let due = self.taken.partition_point(|event| event.time_ns() <= horizon_ns);
        for event in self.taken.drain(..due) {
            self.bytes -= event.memory();
            events.push(event);
        }
    }
}
