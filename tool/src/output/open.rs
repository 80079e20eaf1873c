//! On a terminal: what is over scrolls away above what is open, which is drawn anew.

use std::io::{self, Write};

use super::footer::Footer;
use super::places::counts;
use super::sessions::SessionRows;
use super::terminal::{has_colour, size};
use crate::trace::{Open, Session, SessionSums};

/// How often it is drawn at most: under load there is something new every few milliseconds.
const DRAW_EVERY_NS: u64 = 50_000_000;

/// Lines of the terminal that open sessions leave to what scrolls above them.
const ROWS_ABOVE: usize = 8;

/// The lower end of the terminal, and what is to scroll above it.
pub struct Live {
    rows: SessionRows,
    footer: Footer,
    /// Lines of what has ended since it was drawn.
    ended: Vec<String>,
    /// When that was: `CLOCK_BOOTTIME`, ns.
    drawn_ns: u64,
}

impl Live {
    /// Nothing drawn yet.
    #[must_use]
    pub fn new() -> Self {
        let rows = SessionRows::new(Some(size().0), has_colour());
        Self { rows, footer: Footer::new(), ended: Vec::new(), drawn_ns: 0 }
    }

    /// What stands above the rows.
    #[must_use]
    pub fn header(&self) -> String {
        self.rows.header()
    }

    /// How many open sessions there is room for.
    #[must_use]
    pub fn rows_of_open() -> usize {
        usize::from(size().1).saturating_sub(ROWS_ABOVE).max(1)
    }

    /// That session is over.
    pub fn ended(&mut self, session: &Session) {
        let row = self.rows.row(session, None, None);
        let why = self.rows.below(session, &row);
        self.ended.push(row);
        self.ended.extend(why);
    }

    /// Draws it, unless it was drawn a moment ago.
    pub fn draw<'a>(
        &mut self,
        out: &mut impl Write,
        open: impl Iterator<Item = &'a Open>,
        (sums, lost): (&SessionSums, u64),
        now_ns: u64,
    ) -> io::Result<()> {
        if now_ns.saturating_sub(self.drawn_ns) < DRAW_EVERY_NS {
            return Ok(());
        }
        self.drawn_ns = now_ns;
        let (width, room) = (size().0, Self::rows_of_open());
        self.rows = SessionRows::new(Some(width), has_colour());
        let open: Vec<_> = open.collect();
        let mut lines = vec![String::new()];
        lines.extend(open.iter().take(room).map(|open| row(&self.rows, open, now_ns)));
        if open.len() > room {
            lines.push(format!("         and {} more that are open", open.len() - room));
        }
        lines.push(last_line(open.len(), sums, lost));
        self.scroll(out)?;
        self.footer.draw(out, width.into(), &lines)
    }

    /// Takes it back, and leaves what has ended in its place.
    pub fn scroll(&mut self, out: &mut impl Write) -> io::Result<()> {
        self.footer.take_back(out, size().0.into())?;
        self.ended.drain(..).try_for_each(|line| writeln!(out, "{line}"))
    }
}

impl Default for Live {
    fn default() -> Self {
        Self::new()
    }
}

fn row(rows: &SessionRows, open: &Open, now_ns: u64) -> String {
    let bytes = open.bytes.map(|bytes| (bytes.sent, bytes.received));
    let age = now_ns.saturating_sub(open.begun_ns);
    // They stand in the order of their start.
    let session = Session { time_ns: open.begun_ns, ..open.session.clone() };
    rows.row(&session, bytes, Some(age))
}

/// `3 open, 10 ok, 2 refused`, or `3 open, 7 records lost, 10 ok, 2 refused`: a narrow terminal cuts
/// the end off.
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
        let (mut live, sums, mut out) = (Live::new(), SessionSums::default(), Vec::new());
        let mut drawn_at = |now_ns| {
            live.draw(&mut out, std::iter::empty(), (&sums, 0), now_ns).unwrap();
            out.len()
        };
        let drawn = [DRAW_EVERY_NS, DRAW_EVERY_NS + 1, 2 * DRAW_EVERY_NS].map(&mut drawn_at);
        assert!(0 < drawn[0] && drawn[0] == drawn[1] && drawn[1] < drawn[2], "{drawn:?}");
    }
}
