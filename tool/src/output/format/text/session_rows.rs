//! Rows of sessions.

use std::fmt::Write as _;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::session_layout::SessionLayout;
use crate::host::clock;
use crate::model::{Closed, Outcome, PastSession, Session, State};
use crate::output::names::{forwarder_name, seconds, target_name};
use crate::output::reason::reason;

/// Formats sessions as rows.
#[derive(Clone, Debug)]
pub(in crate::output) struct SessionRows {
    layout: SessionLayout,
    /// Whether outcomes have colours.
    has_colour: bool,
    zone: TimeZone,
}

impl SessionRows {
    /// Rows for a terminal of `width` columns, or for a pipe, where a row may have any length.
    pub(in crate::output) fn new(width: Option<u16>, has_colour: bool) -> Self {
        Self { layout: SessionLayout::new(width), has_colour, zone: TimeZone::system() }
    }

    /// The same with the date of each session.
    pub(in crate::output) fn with_date(width: Option<u16>, has_colour: bool) -> Self {
        Self { layout: SessionLayout::with_date(width), ..Self::new(width, has_colour) }
    }

    /// The header line.
    pub(in crate::output) fn header(&self) -> String {
        self.layout.header("")
    }

    /// The header line of rows with more cells.
    pub(in crate::output) fn header_with(&self, more: &str) -> String {
        self.layout.header(more)
    }

    /// The row of a session. `bytes` and `age_ns` are the numbers of an open session: bytes to and
    /// from the pod, and the time since the session started.
    pub(in crate::output) fn row(
        &self,
        session: &Session,
        bytes: Option<(u64, u64)>,
        age_ns: Option<u64>,
    ) -> String {
        self.row_at(clock::wall_time(session.time_ns), session, (bytes, age_ns), "")
    }

    /// The row of a session from the store. `more` has cells before the reason of a failure.
    pub(in crate::output) fn past_row(&self, past: &PastSession, more: &str) -> String {
        self.row_at(past.time, &past.session, (None, None), more)
    }

    fn row_at(
        &self,
        time: Timestamp,
        session: &Session,
        (bytes, age_ns): (Option<(u64, u64)>, Option<u64>),
        more: &str,
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
        let time = time.to_zoned(self.zone.clone());
        let mut row = self.layout.columns([
            &time.strftime(self.layout.time_format()).to_string(),
            state,
            &target_name(&session.target),
            &session.port.to_string(),
            &forwarder_name(&session.forwarder),
            &self.layout.size(to),
            &self.layout.size(from),
            &closed.map_or(age_ns, |closed| closed.duration_ns).map_or("-".to_owned(), seconds),
        ]);
        if self.layout.is_wide() {
            // Writing to a String cannot fail.
            let _ = write!(row, " {:<13}", session.via.name());
            if !more.is_empty() {
                let _ = write!(row, " {more}");
            }
            let why = closed.and_then(failure_reason);
            if let Some(why) = why.filter(|why| self.layout.has_room(&row, why)) {
                let _ = write!(row, " {why}");
            }
        }
        self.coloured(self.layout.fit(&row), closed)
    }

    /// The line below a row that has no room for the reason of a failure.
    pub(in crate::output) fn line_below(&self, session: &Session, row: &str) -> Option<String> {
        let State::Closed(closed) = &session.state else { return None };
        let why = failure_reason(closed)?;
        let indent = self.layout.state_at();
        (!row.contains(&why)).then(|| format!("{:indent$}{why}", ""))
    }

    fn coloured(&self, row: String, closed: Option<&Closed>) -> String {
        let Some(closed) = closed.filter(|_| self.has_colour) else { return row };
        let code = if closed.outcome == Outcome::Ok { 32 } else { 31 };
        // The state is in a column of 14 characters, after the time and a space.
        let (from, to) = (self.layout.state_at(), self.layout.state_at() + 14);
        let parts = (row.get(..from), row.get(from..to), row.get(to..));
        let (Some(time), Some(state), Some(rest)) = parts else { return row };
        format!("{time}\x1b[{code}m{state}\x1b[0m{rest}")
    }
}

fn failure_reason(closed: &Closed) -> Option<String> {
    (closed.outcome != Outcome::Ok).then(|| reason(&closed.reason))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Destination, Program, Reason, Via};
    use crate::output::width::width;

    #[test]
    fn no_row_is_wider_than_the_terminal() {
        let closed = Closed {
            reason: Reason::NoSocat,
            bytes_to_pod: Some(999_999),
            duration_ns: Some(1_000_000_000_000),
            ..Closed::example(Outcome::HelperMissing)
        };
        let session = Session {
            via: Via::NsenterSocat,
            forwarder: Program {
                pid: 1,
                comm: b"fifteen-letters"[..].into(),
                uid: None,
                exe: None,
            },
            target: Destination { netns: Some(4_026_532_178), ..Destination::default() },
            port: 65_535,
            ..Session::example(closed)
        };
        for columns in [1, 20, 40, 80, 119, 120, 200] {
            let rows = SessionRows::new(Some(columns), false);
            let dated = SessionRows::with_date(Some(columns), false);
            let past = PastSession { session: session.clone(), time: Timestamp::UNIX_EPOCH };
            let lines = [rows.header(), rows.row(&session, None, None), dated.header()];
            for line in lines.into_iter().chain([dated.past_row(&past, "")]) {
                assert!(width(&line) <= columns.into(), "{columns}: {line}");
            }
        }
        let rows = SessionRows::new(Some(80), false);
        let row = rows.row(&session, None, None);
        assert!(row.ends_with("65535 fifteen-le…  999K     - 1000.000"), "{row}");
        assert!(rows.line_below(&session, &row).is_some_and(|why| why.contains("install")));
        let rows = SessionRows::new(None, false);
        let row = rows.row(&session, None, None);
        assert!(row.ends_with("socat on this node") && rows.line_below(&session, &row).is_none());
        let past = PastSession { session: session.clone(), time: Timestamp::UNIX_EPOCH };
        let row = SessionRows::with_date(Some(80), true).past_row(&past, "");
        assert!(row.contains(" \x1b[31mhelper-missing\x1b[0m net:"), "{row}");
        assert!(row.ends_with("  999K     - 1000.000"), "{row}");
        let coloured = SessionRows::new(Some(80), true).row(&session, None, None);
        assert!(coloured.contains(" \x1b[31mhelper-missing\x1b[0m net:"), "{coloured}");
    }
}
