//! The sink that draws the live view.

use std::io::{self, Write};

use super::footer::Footer;
use super::lines::{open_row, summary};
use crate::model::{Session, SessionSums, State, Update};
use crate::output::format::text::{SessionRows, report_lost, write_end};
use crate::output::names::target_name;
use crate::output::sink::Sink;
use crate::output::terminal::{has_colour, size};
use crate::sessions::OpenSession;

/// The shortest time between two drawings. Under load, something changes every few milliseconds.
const DRAW_INTERVAL_NS: u64 = 50_000_000;

/// Lines of the terminal that stay free above the open sessions, for closed ones.
const ROWS_ABOVE: usize = 8;

/// Draws the open sessions at the bottom of the terminal. Closed sessions scroll up above them.
pub(in crate::output) struct LiveSink<W> {
    out: W,
    rows: SessionRows,
    footer: Footer,
    /// The rows of sessions that have closed since the last drawing.
    closed: Vec<String>,
    /// The time of the last drawing (`CLOCK_BOOTTIME`, ns).
    drawn_ns: u64,
    sums: SessionSums,
    lost: u64,
}

impl<W: Write> LiveSink<W> {
    pub(in crate::output) fn new(out: W) -> Self {
        Self {
            out,
            rows: SessionRows::new(Some(size().0), has_colour()),
            footer: Footer::new(),
            closed: Vec::new(),
            drawn_ns: 0,
            sums: SessionSums::default(),
            lost: 0,
        }
    }

    fn add_closed(&mut self, session: &Session) {
        let row = self.rows.row(session, None, None);
        let why = self.rows.line_below(session, &row);
        self.closed.push(row);
        self.closed.extend(why);
    }

    /// Erases the footer, and writes the closed sessions in its place.
    fn scroll(&mut self) -> io::Result<()> {
        self.footer.erase(&mut self.out, size().0.into())?;
        self.closed.drain(..).try_for_each(|line| writeln!(self.out, "{line}"))
    }
}

impl<W: Write> Sink for LiveSink<W> {
    fn update(&mut self, update: &Update) -> io::Result<()> {
        match update {
            Update::Ready(_) => writeln!(self.out, "{}", self.rows.header())?,
            Update::Session(session) => {
                self.sums.add(session, target_name(&session.target));
                // Open sessions are drawn in the footer.
                if matches!(session.state, State::Closed(_) | State::Lost) {
                    self.add_closed(session);
                }
            }
            // The last line of the footer shows the loss.
            Update::Lost(lost) => self.lost = lost.total,
            _ => {}
        }
        Ok(())
    }

    fn open_rows(&self) -> usize {
        usize::from(size().1).saturating_sub(ROWS_ABOVE).max(1)
    }

    fn is_draw_due(&self, now_ns: u64) -> bool {
        now_ns.saturating_sub(self.drawn_ns) >= DRAW_INTERVAL_NS
    }

    fn draw(&mut self, open: &[OpenSession], count: usize, now_ns: u64) -> io::Result<()> {
        self.drawn_ns = now_ns;
        let (width, _) = size();
        self.rows = SessionRows::new(Some(width), has_colour());
        let mut lines = vec![String::new()];
        lines.extend(open.iter().map(|open| open_row(&self.rows, open, now_ns)));
        if count > open.len() {
            lines.push(format!("         and {} more that are open", count - open.len()));
        }
        lines.push(summary(count, &self.sums, self.lost));
        self.scroll()?;
        self.footer.draw(&mut self.out, width.into(), &lines)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }

    fn end(&mut self, open: usize) -> io::Result<()> {
        self.scroll()?;
        write_end(&mut self.out, &self.sums, open)?;
        if self.lost > 0 {
            report_lost(self.lost);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drawings_are_at_least_an_interval_apart() {
        let mut live = LiveSink::new(Vec::new());
        assert!(live.is_draw_due(DRAW_INTERVAL_NS));
        live.draw(&[], 0, DRAW_INTERVAL_NS).unwrap();
        assert!(!live.is_draw_due(DRAW_INTERVAL_NS + 1) && live.is_draw_due(2 * DRAW_INTERVAL_NS));
        assert!(!live.out.is_empty());
    }
}
