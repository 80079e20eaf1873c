//! The view of stored sessions: a row for each, and a table of sums at the end.

use std::io::{self, Write};

use super::session_rows::SessionRows;
use super::sessions::write_end;
use super::wide_session::wide_cells;
use crate::model::{PastSession, SessionSums, State, Update};
use crate::output::names::target_name;
use crate::output::sink::Sink;
use crate::output::terminal::{has_colour, terminal_width};

/// Writes rows as `watch` does, with the date of each.
pub(super) struct HistorySink<W> {
    out: W,
    rows: SessionRows,
    sums: SessionSums,
    open: usize,
    /// Whether rows have more columns, and any length.
    is_wide: bool,
    has_header: bool,
}

impl<W: Write> HistorySink<W> {
    pub(super) fn new(out: W, is_wide: bool) -> Self {
        let width = terminal_width().filter(|_| !is_wide);
        Self {
            out,
            rows: SessionRows::with_date(width, has_colour()),
            sums: SessionSums::default(),
            open: 0,
            is_wide,
            has_header: false,
        }
    }

    fn write_header(&mut self) -> io::Result<()> {
        if std::mem::replace(&mut self.has_header, true) {
            return Ok(());
        }
        let more = if self.is_wide { wide_cells(None) } else { String::new() };
        writeln!(self.out, "{}", self.rows.header_with(&more))
    }

    fn write_row(&mut self, past: &PastSession) -> io::Result<()> {
        self.sums.add(&past.session, target_name(&past.session.target));
        self.open += usize::from(matches!(past.session.state, State::Started | State::Connected));
        let more = if self.is_wide { wide_cells(Some(&past.session)) } else { String::new() };
        let row = self.rows.past_row(past, &more);
        writeln!(self.out, "{row}")?;
        match self.rows.line_below(&past.session, &row) {
            Some(line) => writeln!(self.out, "{line}"),
            None => Ok(()),
        }
    }
}

impl<W: Write> Sink for HistorySink<W> {
    fn update(&mut self, update: &Update) -> io::Result<()> {
        let Update::Past(past) = update else { return Ok(()) };
        self.write_header()?;
        self.write_row(past)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.write_header()?;
        self.out.flush()
    }

    fn end(&mut self, _open: usize) -> io::Result<()> {
        self.write_header()?;
        write_end(&mut self.out, &self.sums, self.open)
    }
}
