//! The view of sessions in a pipe: a row when a session starts, and a row when it ends.

use std::io::{self, Write};

use super::session_rows::SessionRows;
use super::target_totals::target_totals;
use crate::model::{SessionSums, State, Update};
use crate::output::names::target_name;
use crate::output::sink::Sink;
use crate::output::stderr::complain;
use crate::output::terminal::terminal_width;

/// Writes rows, and a table of sums at the end.
pub(super) struct SessionSink<W> {
    out: W,
    rows: SessionRows,
    sums: SessionSums,
    lost: u64,
}

impl<W: Write> SessionSink<W> {
    pub(super) fn new(out: W) -> Self {
        let (rows, sums) = (SessionRows::new(None, false), SessionSums::default());
        Self { out, rows, sums, lost: 0 }
    }
}

impl<W: Write> Sink for SessionSink<W> {
    fn update(&mut self, update: &Update) -> io::Result<()> {
        match update {
            Update::Ready(_) => writeln!(self.out, "{}", self.rows.header()),
            Update::Session(session) => {
                self.sums.add(session, target_name(&session.target));
                match session.state {
                    // The row at the end has the time and the bytes.
                    State::Connected => Ok(()),
                    State::Started | State::Closed(_) | State::Lost => {
                        writeln!(self.out, "{}", self.rows.row(session, None, None))
                    }
                }
            }
            Update::Lost(lost) => {
                self.lost = lost.total;
                report_lost(self.lost);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }

    fn end(&mut self, open: usize) -> io::Result<()> {
        write_end(&mut self.out, &self.sums, open)?;
        if self.lost > 0 {
            report_lost(self.lost);
        }
        Ok(())
    }
}

/// Writes the table of sums, and how many sessions are still open.
pub(in crate::output) fn write_end(
    out: &mut impl Write,
    sums: &SessionSums,
    open: usize,
) -> io::Result<()> {
    if let Some(table) = target_totals(sums, terminal_width()) {
        writeln!(out, "\n{table}")?;
    }
    if open > 0 {
        writeln!(out, "{open} still open")?;
    }
    out.flush()
}

/// Reports lost records in a view of sessions.
pub(in crate::output) fn report_lost(total: u64) {
    complain(&format!("{total} records were lost since the start; sessions may be missing"));
}
