//! Sessions on a terminal: closed ones scroll by above the open ones, which are drawn again.

use std::io::{self, Write};

use super::footer::Footer;
use crate::model::{Session, SessionSums, State, Update};
use crate::output::names::target_name;
use crate::output::sink::Sink;
use crate::output::terminal::{has_colour, size};
use crate::output::text::{SessionRows, counts, report_lost, write_end};
use crate::sessions::OpenSession;

/// The shortest time between two drawings: under load something changes every few milliseconds.
const DRAW_INTERVAL_NS: u64 = 50_000_000;

/// Lines of the terminal that open sessions leave to the rows that scroll above them.
const ROWS_ABOVE: usize = 8;

/// Draws the lower end of the terminal, and scrolls closed sessions above it.
pub(in crate::output) struct LiveSink<W> {
    out: W,
    rows: SessionRows,
    footer: Footer,
    /// Lines of the sessions that have closed since the last drawing.
    closed: Vec<String>,
    /// When it was last drawn: `CLOCK_BOOTTIME`, ns.
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
        let why = self.rows.below(session, &row);
        self.closed.push(row);
        self.closed.extend(why);
    }

    /// Takes the footer back, and leaves the closed sessions in its place.
    fn scroll(&mut self) -> io::Result<()> {
        self.footer.take_back(&mut self.out, size().0.into())?;
        self.closed.drain(..).try_for_each(|line| writeln!(self.out, "{line}"))
    }
}

impl<W: Write> Sink for LiveSink<W> {
    fn update(&mut self, update: &Update) -> io::Result<()> {
        match update {
            Update::Ready(_) => writeln!(self.out, "{}", self.rows.header())?,
            Update::Session(session) => {
                self.sums.add(session, target_name(&session.target));
                // Open sessions have their place below.
                if matches!(session.state, State::Closed(_) | State::Lost) {
                    self.add_closed(session);
                }
            }
            // The last line shows it.
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
        lines.push(last_line(count, &self.sums, self.lost));
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

fn open_row(rows: &SessionRows, open: &OpenSession, now_ns: u64) -> String {
    let bytes = open.bytes.map(|bytes| (bytes.sent, bytes.received));
    let age = now_ns.saturating_sub(open.started_ns);
    // Rows are in the order of their start.
    let session = Session { time_ns: open.started_ns, ..open.session.clone() };
    rows.row(&session, bytes, Some(age))
}

/// `3 open, 10 ok, 2 refused`, or `3 open, 7 records lost, 10 ok, 2 refused`: a narrow terminal cuts
/// the end off, so losses come early.
fn last_line(open: usize, sums: &SessionSums, lost: u64) -> String {
    let ended = counts(sums.outcomes());
    let comma = if ended.is_empty() { "" } else { ", " };
    let lost = if lost > 0 { format!(", {lost} records lost") } else { String::new() };
    format!("{open} open{lost}{comma}{ended}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn losses_stand_where_a_narrow_terminal_shows_them() {
        let sums = SessionSums::default();
        assert_eq!(last_line(3, &sums, 0), "3 open");
        assert_eq!(last_line(3, &sums, 7), "3 open, 7 records lost");
    }

    #[test]
    fn it_is_not_drawn_again_at_once() {
        let mut live = LiveSink::new(Vec::new());
        assert!(live.is_draw_due(DRAW_INTERVAL_NS));
        live.draw(&[], 0, DRAW_INTERVAL_NS).unwrap();
        assert!(!live.is_draw_due(DRAW_INTERVAL_NS + 1) && live.is_draw_due(2 * DRAW_INTERVAL_NS));
        assert!(!live.out.is_empty());
    }
}
