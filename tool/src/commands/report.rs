//! What of a forward is told, and where.

use std::io::{Write as _, stderr, stdout};

use anyhow::{Context as _, Result};

use crate::forward::{Listener, Notice, Sessions, Tally};
use crate::node::clock;
use crate::output::{self, Lines};
use crate::resolve::Target;
use crate::trace::{Destination, Owner, Program, Via};

/// The two ways to tell it.
pub(super) enum Screen {
    /// For people: lines, and a table at the end.
    Text(Tally),
    /// For programs: session records on stdout, and what is no data on stderr.
    Json(Sessions),
}

impl Screen {
    pub(super) fn text() -> Self {
        Self::Text(Tally::default())
    }

    pub(super) fn json(target: &Target, owner: Owner, via: Via) -> Result<Self> {
        let comm = rustix::thread::name().context("cannot read the own process's name")?;
        let forwarder = Program { pid: std::process::id(), comm: comm.into_bytes().into() };
        let target = Destination { pid: target.pid(), netns: Some(target.netns().inode()), owner };
        Ok(Self::Json(Sessions::new(forwarder, clock::boottime_ns(), via, target)))
    }

    /// A listener is there.
    pub(super) fn forwarding(&self, listener: &Listener) -> Result<()> {
        let line = output::forwarding(listener);
        match self {
            Self::Text(_) => print(&line),
            // As it is, since it may be waited for; a stderr that is closed is no reason to end.
            Self::Json(_) => {
                let _ = writeln!(stderr(), "{line}");
                Ok(())
            }
        }
    }

    /// The forwarder told something.
    pub(super) fn tell(&mut self, notice: &Notice) -> Result<()> {
        let Lines { out, err } = output::notice(notice);
        if let Some(line) = err {
            output::complain(&line);
        }
        match self {
            Self::Text(tally) => {
                if let Notice::Closed(report) = notice {
                    tally.add(report);
                }
                out.map_or(Ok(()), |line| print(&line))
            }
            Self::Json(sessions) => match sessions.record(notice) {
                Some(session) => Ok(output::session(&mut stdout().lock(), &session)?),
                None => Ok(()),
            },
        }
    }

    /// The forward is over.
    pub(super) fn sum_up(&self) -> Result<()> {
        let Self::Text(tally) = self else { return Ok(()) };
        output::summary(tally).map_or(Ok(()), |table| print(&format!("\n{table}")))
    }
}

fn print(line: &str) -> Result<()> {
    Ok(writeln!(stdout(), "{line}")?)
}
