//! Rows of sessions.

use std::fmt::Write as _;

use jiff::tz::TimeZone;

use crate::host::clock;
use crate::model::{Closed, Outcome, Session, State};
use crate::output::escape::escaped;
use crate::output::names::{seconds, target_name};
use crate::output::reason::reason;
use crate::output::width::{cut, padded, width};

/// Columns that a terminal must have for rows with everything.
const WIDE: usize = 120;

/// How rows are laid out.
#[derive(Clone, Debug)]
pub(in crate::output) struct SessionRows {
    /// Columns of the terminal, if it is one: no row is longer.
    width: Option<usize>,
    /// Characters of the columns that give way.
    target: usize,
    forwarder: usize,
    bytes: usize,
    /// VIA and the reason are in the row; bytes are exact.
    is_wide: bool,
    /// Outcomes have colours.
    has_colour: bool,
    zone: TimeZone,
}

impl SessionRows {
    /// For a terminal of that many columns, or for a pipe, where a row may have any length.
    pub(in crate::output) fn new(width: Option<u16>, has_colour: bool) -> Self {
        let width = width.map(usize::from);
        let is_wide = width.is_none_or(|width| width >= WIDE);
        // The narrow ones make 80 with the columns that are fixed.
        let (target, forwarder, bytes) = if is_wide { (30, 15, 10) } else { (16, 11, 5) };
        Self { width, target, forwarder, bytes, is_wide, has_colour, zone: TimeZone::system() }
    }

    /// The line above the rows.
    pub(in crate::output) fn header(&self) -> String {
        let (to, from) = if self.is_wide { ("TO POD", "FROM POD") } else { ("TO", "FROM") };
        let titles = ["TIME", "STATE", "TARGET", "PORT", "FORWARDER", to, from, "SECONDS"];
        let mut header = self.columns(titles);
        if self.is_wide {
            header.push_str(" VIA           WHY");
        }
        self.fitting(&header)
    }

    /// A session in its state. `bytes` and `age_ns` are those of an open session.
    pub(in crate::output) fn row(
        &self,
        session: &Session,
        bytes: Option<(u64, u64)>,
        age_ns: Option<u64>,
    ) -> String {
        let closed = match &session.state {
            State::Closed(closed) => Some(closed),
            State::Started | State::Connected | State::Lost => None,
        };
        let state = match &session.state {
            State::Connected => "open",
            State::Closed(closed) => closed.outcome.name(),
            State::Started | State::Lost => session.state.name(),
        };
        let to = closed.map_or(bytes.map(|(to, _)| to), |closed| closed.bytes_to_pod);
        let from = closed.map_or(bytes.map(|(_, from)| from), |closed| closed.bytes_from_pod);
        let time = clock::wall_time(session.time_ns).to_zoned(self.zone.clone());
        let columns = self.columns([
            &time.strftime("%H:%M:%S").to_string(),
            state,
            &target_name(&session.target),
            &session.port.to_string(),
            &escaped(&session.forwarder.comm),
            &self.size(to),
            &self.size(from),
            &closed.map_or(age_ns, |closed| closed.duration_ns).map_or("-".to_owned(), seconds),
        ]);
        let mut row = columns;
        if self.is_wide {
            // Writing to a String cannot fail.
            let _ = write!(row, " {:<13}", session.via.name());
            if let Some(why) = closed.and_then(why).filter(|why| self.has_room(&row, why)) {
                let _ = write!(row, " {why}");
            }
        }
        self.coloured(self.fitting(&row), closed)
    }

    /// The reason of its end, for the line below a row that has no room for it.
    pub(in crate::output) fn below(&self, session: &Session, row: &str) -> Option<String> {
        let State::Closed(closed) = &session.state else { return None };
        let why = why(closed)?;
        (!row.contains(&why)).then(|| format!("         {why}"))
    }

    fn columns(&self, cells: [&str; 8]) -> String {
        let [time, state, target, port, forwarder, to, from, seconds] = cells;
        let Self { target: t, forwarder: f, bytes: b, .. } = *self;
        let (target, forwarder) = (padded(target, t), padded(forwarder, f));
        format!(
            "{time:<8} {state:<14} {target} {port:>5} {forwarder} {to:>b$} {from:>b$} {seconds:>8}"
        )
    }

    /// Whether that still fits behind the row.
    fn has_room(&self, row: &str, more: &str) -> bool {
        let needed = width(row) + 1 + width(more);
        self.width.is_none_or(|columns| needed <= columns)
    }

    fn fitting(&self, row: &str) -> String {
        let row = row.trim_end();
        self.width.map_or_else(|| row.to_owned(), |columns| cut(row, columns))
    }

    fn size(&self, bytes: Option<u64>) -> String {
        match bytes {
            None => "-".to_owned(),
            Some(bytes) if self.is_wide => bytes.to_string(),
            Some(bytes) => short_size(bytes),
        }
    }

    fn coloured(&self, row: String, closed: Option<&Closed>) -> String {
        let Some(closed) = closed.filter(|_| self.has_colour) else { return row };
        let code = if closed.outcome == Outcome::Ok { 32 } else { 31 };
        // The state is in a column of fourteen, after the time and a space.
        let parts = (row.get(..9), row.get(9..23), row.get(23..));
        let (Some(time), Some(state), Some(rest)) = parts else { return row };
        format!("{time}\x1b[{code}m{state}\x1b[0m{rest}")
    }
}

fn why(closed: &Closed) -> Option<String> {
    (closed.outcome != Outcome::Ok).then(|| reason(&closed.reason))
}

/// Two digits at least, four at most, and a unit.
fn short_size(bytes: u64) -> String {
    let mut unit = 1;
    for name in ["", "K", "M", "G", "T"] {
        let tenths = bytes / (unit / 10).max(1);
        if bytes < unit * 10 && unit > 1 {
            return format!("{}.{}{name}", tenths / 10, tenths % 10);
        }
        if bytes < unit * 1000 {
            return format!("{}{name}", bytes / unit);
        }
        unit *= 1000;
    }
    format!("{}P", bytes / unit)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Destination, Program, Reason, Via};

    #[test]
    fn sizes_are_short() {
        for (bytes, text) in [
            (0, "0"),
            (999, "999"),
            (1000, "1.0K"),
            (9999, "9.9K"),
            (10_000, "10K"),
            (999_999, "999K"),
            (1_500_000, "1.5M"),
            (2_000_000_000, "2.0G"),
            (u64::MAX, "18446P"),
        ] {
            assert_eq!(short_size(bytes), text);
        }
    }

    #[test]
    fn no_row_is_wider_than_its_terminal() {
        let session = Session {
            id: String::new(),
            time_ns: 0,
            via: Via::NsenterSocat,
            forwarder: Program { pid: 1, comm: b"fifteen-letters"[..].into(), uid: None },
            helper: None,
            cookie: None,
            target: Destination { netns: Some(4_026_532_178), ..Destination::default() },
            port: 65_535,
            ports: None,
            address: None,
            state: State::Closed(Closed {
                outcome: Outcome::HelperMissing,
                reason: Reason::NoSocat,
                helper_end: None,
                stderr: None,
                error: None,
                bytes_to_pod: Some(999_999),
                bytes_from_pod: None,
                connect_ns: None,
                duration_ns: Some(1_000_000_000_000),
            }),
        };
        for width in [1, 20, 40, 80, 119, 120, 200] {
            let rows = SessionRows::new(Some(width), false);
            for line in [rows.header(), rows.row(&session, None, None)] {
                assert!(super::width(&line) <= width.into(), "{width}: {line}");
            }
        }
        let rows = SessionRows::new(Some(80), false);
        let row = rows.row(&session, None, None);
        assert!(row.ends_with("65535 fifteen-le…  999K     - 1000.000"), "{row}");
        assert!(rows.below(&session, &row).is_some_and(|why| why.contains("install")), "below");
        let rows = SessionRows::new(None, false);
        let row = rows.row(&session, None, None);
        assert!(row.ends_with("socat on this node") && rows.below(&session, &row).is_none());
        let coloured = SessionRows::new(Some(80), true).row(&session, None, None);
        assert!(coloured.contains(" \x1b[31mhelper-missing\x1b[0m net:"), "{coloured}");
    }
}
