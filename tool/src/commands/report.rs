//! What of a forward is told, and where.

use std::io::{Write as _, stderr, stdout};

use anyhow::Result;

use crate::forward::{Listener, Tally, Told};
use crate::output::{self, Lines, TextOrJson};
use crate::trace::State;

/// The two ways to tell it.
pub(super) enum Screen {
    /// For people: lines, and a table at the end.
    Text(Tally),
    /// For programs: session records on stdout, and what is no data on stderr.
    Json,
}

impl Screen {
    pub(super) fn new(output: TextOrJson) -> Self {
        match output {
            TextOrJson::Text => Self::Text(Tally::default()),
            TextOrJson::Json => Self::Json,
        }
    }

    /// A listener is there.
    pub(super) fn forwarding(&self, listener: &Listener) -> Result<()> {
        let line = output::forwarding(listener);
        match self {
            Self::Text(_) => print(&line),
            // As it is, since it may be waited for; a stderr that is closed is no reason to end.
            Self::Json => {
                let _ = writeln!(stderr(), "{line}");
                Ok(())
            }
        }
    }

    /// The forwarder told something.
    pub(super) fn tell(&mut self, all: &[Told]) -> Result<()> {
        for told in all {
            let Lines { out, err } = output::told(told);
            if let Some(line) = err {
                output::complain(&line);
            }
            match (&mut *self, told) {
                (Self::Text(tally), _) => {
                    if let Told::Session(pair, session, _) = told {
                        match &session.state {
                            State::Started => tally.begin(*pair),
                            State::Connected => {}
                            State::Closed(closed) => tally.add(*pair, closed),
                        }
                    }
                    out.map_or(Ok(()), |line| print(&line))?;
                }
                (Self::Json, Told::Session(_, session, _)) => {
                    output::session(&mut stdout().lock(), session)?;
                }
                (Self::Json, Told::Notice(_)) => {}
            }
        }
        Ok(())
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
