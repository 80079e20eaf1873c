//! The kernel's view of our own children and connections, for the verbs that forward.

use std::io::{Stdout, stdout};

use anyhow::Result;

use super::lookout::Lookout;
use crate::node::clock;
use crate::output::{Columns, Format, Rows, TextOrJson};
use crate::probe::{Options, Probe, ProbeError};
use crate::resolve::Destinations;
use crate::trace::{Destination, Event, ExecEvent, Filter, Session, Sessions};

/// Rows of what this process spawns, and the sessions that it makes, as the kernel reports them; or
/// nothing at all.
pub(super) struct Children {
    probe: Option<Probe>,
    rows: Rows<Stdout>,
    /// Where all of them are on their way.
    destination: Destination,
    events: Vec<Event>,
    sessions: Sessions,
    lookout: Lookout,
}

impl Children {
    /// Shows nothing.
    pub(super) fn nothing() -> Self {
        let rows = Rows::new(stdout(), Format::Text, Columns::default());
        Self {
            probe: None,
            rows,
            destination: Destination::default(),
            events: Vec::new(),
            sessions: Sessions::default(),
            lookout: Lookout::default(),
        }
    }

    /// From here on every exec of a child of ours is seen, and every connection.
    pub(super) fn watch(verbose: bool) -> Result<Self, ProbeError> {
        let filter = Filter { ppid: Some(std::process::id()), ..Filter::default() };
        let options = Options {
            settings: filter.settings(),
            failed_execs: true,
            exits: true,
            connections: true,
            cgroup_names: false,
            verbose,
        };
        Ok(Self { probe: Some(Probe::attach(&options)?), ..Self::nothing() })
    }

    /// All of them are on their way there.
    pub(super) fn lead_to(&mut self, destination: Destination, output: TextOrJson) {
        if output == TextOrJson::Json {
            self.rows = Rows::new(stdout(), Format::Json, Columns::default());
        }
        self.destination = destination;
    }

    /// Whether it sees anything.
    pub(super) fn is_watching(&self) -> bool {
        self.probe.is_some()
    }

    /// The line above the rows, when there will be rows.
    pub(super) fn header(&mut self) -> Result<()> {
        if self.is_watching() {
            self.rows.header()?;
        }
        Ok(())
    }

    /// Waits for execs, and returns them; for whoever wants nothing else.
    pub(super) async fn next_execs(&mut self) -> Result<Vec<ExecEvent>> {
        self.wait().await?;
        let execs = self.events.drain(..).filter_map(|event| match event {
            Event::Exec(exec) => Some(exec),
            Event::Exit(_) | Event::Sock(_) => None,
        });
        Ok(execs.collect())
    }

    /// Waits for events; shows execs, and what was lost until then. Returns the sessions that came
    /// into another state.
    pub(super) async fn show(&mut self) -> Result<Vec<Session>> {
        self.wait().await?;
        let changed = self.take()?;
        self.print_loss()?;
        Ok(changed)
    }

    /// Ends the sessions that have waited in vain for one more event, and returns them among those
    /// that came into another state.
    pub(super) fn expire(&mut self) -> Result<Vec<Session>> {
        let now = clock::boottime_ns();
        if let Some(probe) = &mut self.probe {
            self.lookout.tick(&mut self.sessions, probe, 0, now);
        }
        // What happened before now comes first.
        let mut changed = self.show_ready()?;
        changed.extend(self.sessions.expire(now));
        Ok(changed)
    }

    /// Shows what is there already, and what was lost; nothing comes after that.
    pub(super) fn show_rest(&mut self) -> Result<Vec<Session>> {
        if let Some(probe) = &mut self.probe {
            probe.detach();
        }
        let mut changed = self.show_ready()?;
        // What they wait for will not be seen any more.
        changed.extend(self.sessions.expire(u64::MAX));
        self.print_loss()?;
        Ok(changed)
    }

    /// Shows execs as rows.
    pub(super) fn print(&mut self, execs: &[ExecEvent]) -> Result<()> {
        for exec in execs {
            self.rows.exec(exec, &self.destination.owner)?;
        }
        Ok(self.rows.flush()?)
    }

    async fn wait(&mut self) -> Result<(), ProbeError> {
        match &mut self.probe {
            Some(probe) => probe.read(&mut self.events).await,
            None => std::future::pending().await,
        }
    }

    fn show_ready(&mut self) -> Result<Vec<Session>> {
        if let Some(probe) = &mut self.probe {
            while probe.read_ready(&mut self.events) {}
        }
        self.take()
    }

    /// Shows the execs among the events, and follows the sessions.
    fn take(&mut self) -> Result<Vec<Session>> {
        let mut changed = Vec::new();
        if let Some(probe) = &self.probe {
            self.sessions.lost_in_all(probe.lost_until_now()?, clock::boottime_ns());
        }
        for event in std::mem::take(&mut self.events) {
            let whose = self.sessions.whom(&event).map(|_| self.destination.clone());
            changed.extend(self.sessions.take(&event, whose, Destinations::is_there));
            if let Event::Exec(exec) = &event {
                self.rows.exec(exec, &self.destination.owner)?;
            }
        }
        self.rows.flush()?;
        Ok(changed)
    }

    fn print_loss(&mut self) -> Result<()> {
        if let Some(probe) = &mut self.probe
            && let Some(lost) = probe.lost()?
        {
            self.rows.lost(lost)?;
        }
        Ok(())
    }
}
