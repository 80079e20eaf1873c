//! What is told of sessions, and how: records, rows, or rows above what is open.

use std::io::{BufWriter, IsTerminal as _, Stdout, Write as _, stdout};

use anyhow::Result;

use crate::output::{self, Live, SessionRows, TextOrJson};
use crate::trace::{Lost, Open, Session, SessionSums, State};

/// Where sessions are shown.
pub(super) struct Screen {
    out: BufWriter<Stdout>,
    shape: Shape,
    sums: SessionSums,
    lost: u64,
}

enum Shape {
    Json,
    /// In a pipe.
    Rows(SessionRows),
    /// On a terminal.
    Live(Live),
}

impl Screen {
    pub(super) fn new(output: TextOrJson) -> Self {
        let shape = match output {
            TextOrJson::Json => Shape::Json,
            TextOrJson::Text if stdout().is_terminal() => Shape::Live(Live::new()),
            TextOrJson::Text => Shape::Rows(SessionRows::new(None, false)),
        };
        Self { out: BufWriter::new(stdout()), shape, sums: SessionSums::default(), lost: 0 }
    }

    /// From here on sessions are seen.
    pub(super) fn begin(&mut self) -> Result<()> {
        match &self.shape {
            Shape::Json => {}
            Shape::Rows(rows) => writeln!(self.out, "{}", rows.header())?,
            Shape::Live(live) => writeln!(self.out, "{}", live.header())?,
        }
        self.flush()
    }

    pub(super) fn is_live(&self) -> bool {
        matches!(self.shape, Shape::Live(..))
    }

    /// A session came into a state.
    pub(super) fn session(&mut self, session: &Session) -> Result<()> {
        self.sums.add(session, output::target_name(&session.target));
        match &mut self.shape {
            Shape::Json => output::session(&mut self.out, session)?,
            Shape::Rows(rows) => match session.state {
                // The row at its end says how long that took.
                State::Connected => {}
                State::Started | State::Closed(_) => {
                    writeln!(self.out, "{}", rows.row(session, None, None))?;
                }
            },
            // Open ones have their place below.
            Shape::Live(live) if matches!(session.state, State::Closed(_)) => live.ended(session),
            Shape::Live(..) => {}
        }
        Ok(())
    }

    /// Records were lost.
    pub(super) fn lost(&mut self, lost: Lost) -> Result<()> {
        self.lost = lost.total;
        match self.shape {
            Shape::Json => output::lost_record(&mut self.out, lost)?,
            Shape::Rows(_) => complain_of(self.lost),
            // The last line says it.
            Shape::Live(..) => {}
        }
        self.flush()
    }

    /// Draws the open sessions and the last line, on a terminal.
    pub(super) fn draw<'a>(
        &mut self,
        open: impl Iterator<Item = &'a Open>,
        now_ns: u64,
    ) -> Result<()> {
        if let Shape::Live(live) = &mut self.shape {
            live.draw(&mut self.out, open, (&self.sums, self.lost), now_ns)?;
        }
        self.flush()
    }

    /// The last word.
    pub(super) fn end(&mut self, open: usize) -> Result<()> {
        if let Shape::Live(live) = &mut self.shape {
            live.scroll(&mut self.out)?;
        }
        if !matches!(self.shape, Shape::Json) {
            if let Some(table) = output::places(&self.sums, output::terminal_width()) {
                writeln!(self.out, "\n{table}")?;
            }
            if open > 0 {
                writeln!(self.out, "{open} still open")?;
            }
        }
        self.flush()?;
        if self.lost > 0 && !matches!(self.shape, Shape::Json) {
            complain_of(self.lost);
        }
        Ok(())
    }

    /// Everything that was written goes out now.
    pub(super) fn flush(&mut self) -> Result<()> {
        Ok(self.out.flush()?)
    }
}

fn complain_of(lost: u64) {
    output::complain(&format!("{lost} records were lost since the start; sessions may be missing"));
}
