//! What is told of sessions, and how: records, rows, or rows above what is open.

use std::io::{BufWriter, IsTerminal as _, Stdout, Write as _, stdout};

use anyhow::Result;

use crate::output::{self, Footer, SessionRows, TextOrJson};
use crate::trace::{Lost, Open, Session, SessionSums, State};

/// Lines of the terminal that open sessions leave to what scrolls above them.
const ROWS_ABOVE: usize = 8;

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
    Live(SessionRows, Footer),
}

impl Screen {
    pub(super) fn new(output: TextOrJson) -> Self {
        let shape = match output {
            TextOrJson::Json => Shape::Json,
            TextOrJson::Text if stdout().is_terminal() => {
                let rows = SessionRows::new(output::terminal_width(), has_colour());
                Shape::Live(rows, Footer::new())
            }
            TextOrJson::Text => Shape::Rows(SessionRows::new(None, false)),
        };
        Self { out: BufWriter::new(stdout()), shape, sums: SessionSums::default(), lost: 0 }
    }

    /// From here on sessions are seen.
    pub(super) fn begin(&mut self) -> Result<()> {
        if let Shape::Rows(rows) | Shape::Live(rows, _) = &self.shape {
            writeln!(self.out, "{}", rows.header())?;
        }
        self.flush()
    }

    pub(super) fn is_live(&self) -> bool {
        matches!(self.shape, Shape::Live(..))
    }

    /// How many open sessions there is room for.
    pub(super) fn rows_of_open() -> usize {
        usize::from(size().1).saturating_sub(ROWS_ABOVE).max(1)
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
            Shape::Live(rows, footer) if matches!(session.state, State::Closed(_)) => {
                footer.take_back(&mut self.out, size().0.into())?;
                let row = rows.row(session, None, None);
                writeln!(self.out, "{row}")?;
                if let Some(why) = rows.below(session, &row) {
                    writeln!(self.out, "{why}")?;
                }
            }
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
        let room = Self::rows_of_open();
        let Shape::Live(rows, footer) = &mut self.shape else { return self.flush() };
        let width = size().0;
        *rows = SessionRows::new(Some(width), has_colour());
        let open: Vec<_> = open.collect();
        let mut lines = vec![String::new()];
        lines.extend(open.iter().take(room).map(|open| row(rows, open, now_ns)));
        if open.len() > room {
            lines.push(format!("         and {} more that are open", open.len() - room));
        }
        lines.push(last_line(open.len(), &self.sums, self.lost));
        footer.take_back(&mut self.out, width.into())?;
        footer.draw(&mut self.out, width.into(), &lines)?;
        self.flush()
    }

    /// The last word.
    pub(super) fn end(&mut self, open: usize) -> Result<()> {
        if let Shape::Live(_, footer) = &mut self.shape {
            footer.take_back(&mut self.out, size().0.into())?;
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
    let ended = output::counts(sums.outcomes());
    let comma = if ended.is_empty() { "" } else { ", " };
    let lost = if lost > 0 { format!(", {lost} records lost") } else { String::new() };
    format!("{open} open{lost}{comma}{ended}")
}

fn complain_of(lost: u64) {
    output::complain(&format!("{lost} records were lost since the start; sessions may be missing"));
}

/// Columns and rows of the terminal.
fn size() -> (u16, u16) {
    let size = rustix::termios::tcgetwinsize(stdout()).ok();
    let size = size.filter(|size| size.ws_col > 0 && size.ws_row > 0);
    size.map_or((80, 24), |size| (size.ws_col, size.ws_row))
}

/// <https://no-color.org>: set to anything but nothing.
fn has_colour() -> bool {
    std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}
