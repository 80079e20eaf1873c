//! The kernel's view of our own children, for the verbs that spawn them.

use std::io::{Stdout, stdout};

use anyhow::Result;

use crate::output::{Columns, Format, Rows};
use crate::probe::{Options, Probe, ProbeError};
use crate::trace::{Event, ExecEvent, Filter, Owner};

/// Rows of what this process spawns, as the kernel reports it; or nothing at all.
pub(super) struct Children {
    probe: Option<Probe>,
    rows: Rows<Stdout>,
    /// Whose our children are: all of them are on their way there.
    owner: Owner,
    events: Vec<Event>,
}

impl Children {
    /// Shows nothing.
    pub(super) fn nothing() -> Self {
        let rows = Rows::new(stdout(), Format::Text, Columns::default());
        Self { probe: None, rows, owner: Owner::default(), events: Vec::new() }
    }

    /// From here on every exec of a child of ours is seen.
    pub(super) fn watch(verbose: bool) -> Result<Self, ProbeError> {
        let filter = Filter { ppid: Some(std::process::id()), ..Filter::default() };
        let settings = filter.settings();
        let options = Options {
            settings,
            failed_execs: true,
            exits: false,
            connections: false,
            cgroup_names: false,
            verbose,
        };
        Ok(Self { probe: Some(Probe::attach(&options)?), ..Self::nothing() })
    }

    /// Shows what it sees as JSON, with that owner.
    pub(super) fn into_json(mut self, owner: Owner) -> Self {
        self.rows = Rows::new(stdout(), Format::Json, Columns::default());
        self.owner = owner;
        self
    }

    /// The line above the rows, when there will be rows.
    pub(super) fn header(&mut self) -> Result<()> {
        if self.probe.is_some() {
            self.rows.header()?;
        }
        Ok(())
    }

    /// Waits for execs, and returns them.
    pub(super) async fn next(&mut self) -> Result<Vec<ExecEvent>> {
        let Some(probe) = &mut self.probe else {
            return std::future::pending().await;
        };
        probe.read(&mut self.events).await?;
        Ok(self.take())
    }

    /// Waits for execs, and shows them, and what was lost until then.
    pub(super) async fn show(&mut self) -> Result<()> {
        let execs = self.next().await?;
        self.print(&execs)?;
        self.print_loss()
    }

    /// Shows what is there already, and what was lost.
    pub(super) fn show_rest(&mut self) -> Result<()> {
        let Some(probe) = &mut self.probe else {
            return Ok(());
        };
        probe.detach();
        while probe.read_ready(&mut self.events) {}
        let execs = self.take();
        self.print(&execs)?;
        self.print_loss()
    }

    fn print_loss(&mut self) -> Result<()> {
        if let Some(probe) = &mut self.probe
            && let Some(lost) = probe.lost()?
        {
            self.rows.lost(lost)?;
        }
        Ok(())
    }

    /// Shows execs as rows.
    pub(super) fn print(&mut self, execs: &[ExecEvent]) -> Result<()> {
        for exec in execs {
            self.rows.exec(exec, &self.owner)?;
        }
        Ok(self.rows.flush()?)
    }

    fn take(&mut self) -> Vec<ExecEvent> {
        let execs = self.events.drain(..).filter_map(|event| match event {
            Event::Exec(exec) => Some(exec),
            Event::Exit(_) | Event::Sock(_) => None,
        });
        execs.collect()
    }
}
