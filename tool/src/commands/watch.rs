//! `pfsnoop watch`: every port-forward of the node, whoever makes it, from its start to its end.

mod screen;

use std::time::Duration;

use anyhow::Result;
use tokio::time::{MissedTickBehavior, interval};

use self::screen::Screen;
use super::{lookout::Lookout, start_logging, stop::Stop};
use crate::cli;
use crate::node::{clock, slice};
use crate::output::Live;
use crate::probe::{Options, Probe};
use crate::resolve::Destinations;
use crate::trace::{Event, Filter, OwnerFilter, Session, Sessions, State};

/// How often sessions that wait in vain are ended, the screen is drawn, and losses are looked for.
const TICK: Duration = Duration::from_millis(250);

pub(super) async fn run(args: cli::Watch) -> Result<()> {
    start_logging(args.verbose);
    slice::shorten();
    let mut stop = Stop::new()?;
    let mut probe = Probe::attach(&options(args.verbose))?;
    let mut screen = Screen::new(args.output);
    screen.begin()?;
    // A runtime that stands still is waited for; what happens meanwhile is kept.
    let destinations = stop.or(Destinations::new(&args.runtimes.clone().into())).await;
    let is_over = destinations.is_none();
    stop.after(args.duration);
    let destinations = destinations.unwrap_or_else(Destinations::without_runtimes);
    let mut watcher = Watcher::new(args, destinations, screen);

    let mut tick = interval(TICK);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut events = Vec::new();
    while watcher.wants_more() && !is_over {
        let is_tick = tokio::select! {
            read = probe.read(&mut events) => read.map(|()| false)?,
            _ = tick.tick() => true,
            () = stop.wait() => break,
        };
        watcher.take(&probe, &mut events).await?;
        if is_tick {
            watcher.tick(&mut probe, &mut events).await?;
        }
        // Under load there is always more: signals and timers must have their turn.
        tokio::task::yield_now().await;
    }
    probe.detach();
    while watcher.wants_more() && probe.read_ready(&mut events) {
        watcher.take(&probe, &mut events).await?;
    }
    watcher.end(&mut probe)
}

fn options(verbose: bool) -> Options {
    Options {
        // Whatever else is executed on this node costs a look at its name.
        settings: Filter { helpers: true, ..Filter::default() }.settings(),
        // A socat that is missing shows in nsenter's exit code.
        failed_execs: false,
        exits: true,
        connections: true,
        cgroup_names: false,
        verbose,
    }
}

/// From events to what is shown.
struct Watcher {
    sessions: Sessions,
    lookout: Lookout,
    destinations: Destinations,
    owners: OwnerFilter,
    port: Option<u16>,
    /// How many more may end.
    ends_left: Option<u64>,
    screen: Screen,
}

impl Watcher {
    fn new(args: cli::Watch, destinations: Destinations, screen: Screen) -> Self {
        Self {
            sessions: Sessions::default(),
            lookout: Lookout::default(),
            destinations,
            owners: OwnerFilter { pod: args.pod, container: None },
            port: args.port,
            ends_left: args.count,
            screen,
        }
    }

    fn wants_more(&self) -> bool {
        self.ends_left != Some(0)
    }

    async fn take(&mut self, probe: &Probe, events: &mut Vec<Event>) -> Result<()> {
        self.sessions.lost_in_all(probe.lost_until_now()?, clock::boottime_ns());
        for event in events.drain(..) {
            let whose = match self.sessions.whom(&event) {
                Some(whom) => Some(self.destinations.find(whom).await),
                None => None,
            };
            let changed = self.sessions.take(&event, whose, Destinations::is_there);
            self.show(&changed)?;
        }
        self.draw(clock::boottime_ns())
    }

    fn show(&mut self, changed: &[Session]) -> Result<()> {
        for session in changed {
            if self.wants_more() && is_wanted(&self.owners, self.port, session) {
                self.screen.session(session)?;
                let is_end = matches!(session.state, State::Closed(_));
                self.ends_left = self.ends_left.map(|left| left - u64::from(is_end));
            }
        }
        Ok(())
    }

    /// What does not come as an event.
    async fn tick(&mut self, probe: &mut Probe, events: &mut Vec<Event>) -> Result<()> {
        let now = clock::boottime_ns();
        let are_shown = if self.screen.is_live() { Live::rows_of_open() } else { 0 };
        self.lookout.tick(&mut self.sessions, probe, are_shown, now);
        // What happened before now comes first.
        while probe.read_ready(events) {
            self.take(probe, events).await?;
        }
        let changed = self.sessions.expire(now);
        self.show(&changed)?;
        self.lost(probe)?;
        self.draw(now)
    }

    /// What has ended and waits for one more event will not get it.
    fn end(mut self, probe: &mut Probe) -> Result<()> {
        let changed = self.sessions.expire(u64::MAX);
        self.show(&changed)?;
        self.lost(probe)?;
        self.screen.end(self.sessions.open().len())
    }

    fn draw(&mut self, now_ns: u64) -> Result<()> {
        let (owners, port) = (&self.owners, self.port);
        let open = self.sessions.open().filter(|open| is_wanted(owners, port, &open.session));
        self.screen.draw(open, now_ns)
    }

    fn lost(&mut self, probe: &mut Probe) -> Result<()> {
        match probe.lost()? {
            Some(lost) => self.screen.lost(lost),
            None => Ok(()),
        }
    }
}

fn is_wanted(owners: &OwnerFilter, port: Option<u16>, session: &Session) -> bool {
    port.is_none_or(|port| session.port == port) && owners.matches(&session.target.owner)
}
