//! Runs a forward: the forwarder's events and the monitor's updates go to one sink.

use std::pin::pin;
use std::time::Duration;

use anyhow::{Context as _, Result};
use tokio::sync::mpsc::Receiver;
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use super::correlator::{Correlator, Records, Watched};
use super::event::ForwardEvent;
use super::forwarder::Forwarder;
use super::gathered::Gathered;
use super::listener::Listener;
use crate::host::{clock, process};
use crate::model::{Listening, Program, Ready, Update};
use crate::monitor::Monitor;
use crate::output::Sink;
use crate::probe::ProbeError;
use crate::target::TargetEnded;

/// How often ends that have waited too long for the kernel's view are reported without it.
const EXPIRE_INTERVAL: Duration = Duration::from_millis(250);

/// What the end of a target means that nothing replaces.
const GONE: &str = "the forward is over, because its target is gone (a pod or a container that is \
                    named as the target is looked up again)";

/// Everything that a running forward consists of.
pub struct Forward {
    /// The forwarder.
    pub forwarder: Forwarder,
    /// Its events.
    pub events: Receiver<ForwardEvent>,
    /// The kernel's view of it; `None` with `--no-watch`.
    pub monitor: Option<Monitor>,
    /// Joins the two.
    pub correlator: Correlator,
}

/// The correlator of a forwarder in this process. `is_watched`: a monitor sees what it does.
pub fn correlator(is_watched: bool) -> Result<Correlator> {
    let pid = std::process::id();
    let watched = is_watched.then(|| Watched {
        own_netns: process::netns_of(pid).ok(),
        has_kernel_pids: process::foreign_namespace().is_none(),
    });
    let comm = rustix::thread::name().context("cannot read the name of this process")?;
    let uid = Some(rustix::process::getuid().as_raw());
    let exe = process::exe_at(pid, clock::boottime_ns());
    let forwarder = Program { pid, comm: comm.into_bytes().into(), uid, exe };
    let start_ns = clock::boottime_ns();
    Ok(Correlator::new(Records { forwarder, start_ns }, watched))
}

/// The first updates: the listeners, and that everything is ready.
#[must_use]
pub fn opening(listeners: &[Listener], has_execs: bool) -> Vec<Update> {
    let time_ns = clock::boottime_ns();
    let listening = listeners.iter().map(|listener| {
        let (address, target_port) = (listener.address(), listener.ports().remote);
        Update::Listening(Listening { time_ns, address, target_port })
    });
    let ready = Ready { time_ns, command: "forward", has_execs };
    listening.chain([Update::Ready(ready)]).collect()
}

/// Shows what happens until shutdown, then stops the forwarder and shows the rest.
pub async fn run(
    mut forward: Forward,
    sink: &mut dyn Sink,
    shutdown: &CancellationToken,
) -> Result<()> {
    // In their place: what an async function moves takes its room twice.
    let Forward { forwarder, events, monitor, correlator } = &mut forward;
    let forwarder = &*forwarder;
    let mut events = Gathered::new(events);
    let mut views = Views { forwarder, monitor, correlator, target_ended: None };
    let mut tick = interval(EXPIRE_INTERVAL);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while views.target_ended.is_none() {
        let updates = tokio::select! {
            biased;
            // Comes first, however much there is to show.
            () = shutdown.cancelled() => break,
            came = events.next() => views.events(came),
            updates = next_of(views.monitor) => {
                // A connection is shown before the helpers that were started for it.
                let mut all = views.events(events.ready());
                all.extend(views.joined(updates?));
                all
            }
            _ = tick.tick() => views.correlator.expire(clock::boottime_ns()),
        };
        show(sink, &updates)?;
    }
    let target_ended = views.target_ended.take();
    let mut stopping = pin!(forwarder.stop());
    loop {
        let updates = tokio::select! {
            came = events.next() => views.events(came),
            updates = next_of(views.monitor) => views.joined(updates?),
            () = &mut stopping => break,
        };
        show(sink, &updates)?;
    }
    show(sink, &views.events(events.ready()))?;
    if let Some(monitor) = views.monitor {
        monitor.stop();
    }
    while let Some(updates) = rest_of(views.monitor).await? {
        show(sink, &views.joined(updates))?;
    }
    show(sink, &views.correlator.expire(u64::MAX))?;
    sink.end(0)?;
    match target_ended {
        Some(ended) => Err(anyhow::Error::new(ended).context(GONE)),
        None => Ok(()),
    }
}

/// The forwarder's view of its connections, and the kernel's.
struct Views<'a> {
    forwarder: &'a Forwarder,
    monitor: &'a mut Option<Monitor>,
    correlator: &'a mut Correlator,
    /// How the target ended, if nothing replaces it.
    target_ended: Option<TargetEnded>,
}

impl Views<'_> {
    /// Takes events of the forwarder.
    fn events(&mut self, events: Vec<ForwardEvent>) -> Vec<Update> {
        let mut updates = Vec::new();
        for event in events {
            if let (ForwardEvent::Restarted(restart), Some(monitor)) = (&event, &mut *self.monitor)
            {
                monitor.set_destination(&restart.destination);
            }
            match event {
                ForwardEvent::TargetEnded(ended) => self.target_ended = Some(ended),
                event => updates.extend(self.correlator.event(event)),
            }
        }
        updates
    }

    /// Replaces the kernel's sessions by the joined ones.
    fn joined(&mut self, updates: Vec<Update>) -> Vec<Update> {
        let mut all = Vec::new();
        for update in updates {
            match update {
                Update::Session(session) => {
                    self.forwarder.session(&session);
                    all.extend(self.correlator.session(*session));
                }
                update => all.push(update),
            }
        }
        all
    }
}

/// Waits for the next updates of a monitor. Cancel safe.
async fn next_of(monitor: &mut Option<Monitor>) -> Result<Vec<Update>, ProbeError> {
    match monitor {
        Some(monitor) => Ok(monitor.updates().await?.unwrap_or_default()),
        None => std::future::pending().await,
    }
}

/// Waits for the next updates of a monitor that was stopped. `None` at the end.
async fn rest_of(monitor: &mut Option<Monitor>) -> Result<Option<Vec<Update>>, ProbeError> {
    match monitor {
        Some(monitor) => monitor.updates().await,
        None => Ok(None),
    }
}

fn show(sink: &mut dyn Sink, updates: &[Update]) -> Result<()> {
    for update in updates {
        sink.update(update)?;
    }
    Ok(sink.flush()?)
}
