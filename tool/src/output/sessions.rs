//! Sessions as rows: one at the start of each, one at its end.

use std::fmt::Write as _;

use jiff::tz::TimeZone;

use super::escape::escaped;
use super::reason::reason;
use super::session::outcome;
use crate::node::clock;
use crate::trace::{Closed, Destination, Outcome, Session, State};

/// Columns that a terminal must have for rows with everything.
const WIDE: usize = 120;

/// How rows are laid out.
#[derive(Clone, Debug)]
pub struct SessionRows {
    /// Columns of the terminal, if it is one: no row is longer.
    width: Option<usize>,
    /// Characters of the columns that give way.
    target: usize,
    forwarder: usize,
    bytes: usize,
    /// The road and the reason stand in the row; bytes are exact.
    is_wide: bool,
    /// Outcomes have colours.
    has_colour: bool,
    zone: TimeZone,
}

impl SessionRows {
    /// For a terminal of that many columns, or for a pipe, where a row may have any length.
    #[must_use]
    pub fn new(width: Option<u16>, has_colour: bool) -> Self {
        let width = width.map(usize::from);
        let is_wide = width.is_none_or(|width| width >= WIDE);
        // The narrow ones make 80 with the columns that are fixed.
        let (target, forwarder, bytes) = if is_wide { (30, 15, 10) } else { (16, 11, 5) };
        Self { width, target, forwarder, bytes, is_wide, has_colour, zone: TimeZone::system() }
    }

    /// What stands above the rows.
    #[must_use]
    pub fn header(&self) -> String {
        let (to, from) = if self.is_wide { ("TO POD", "FROM POD") } else { ("TO", "FROM") };
        let titles = ["TIME", "STATE", "TARGET", "PORT", "FORWARDER", to, from, "SECONDS"];
        let mut header = self.columns(titles);
        if self.is_wide {
            header.push_str(" ROAD          WHY");
        }
        self.fitting(&header)
    }

    /// A session in the state that it has come to; without its end, `bytes` are what it has carried.
    #[must_use]
    pub fn row(&self, session: &Session, bytes: Option<(u64, u64)>, age_ns: Option<u64>) -> String {
        let closed = match &session.state {
            State::Closed(closed) => Some(closed),
            State::Started | State::Connected => None,
        };
        let state = match &session.state {
            State::Started => "started",
            State::Connected => "open",
            State::Closed(closed) => outcome(closed.outcome),
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
            &seconds(closed.map_or(age_ns, |closed| closed.duration_ns)),
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

    /// Why it ended so, for the line below a row that has no room for it.
    #[must_use]
    pub fn below(&self, session: &Session, row: &str) -> Option<String> {
        let State::Closed(closed) = &session.state else { return None };
        let why = why(closed)?;
        (!row.contains(&why)).then(|| format!("         {why}"))
    }

    fn columns(&self, cells: [&str; 8]) -> String {
        let [time, state, target, port, forwarder, to, from, seconds] = cells;
        let Self { target: t, forwarder: f, bytes: b, .. } = *self;
        let (target, forwarder) = (cut(target, t), cut(forwarder, f));
        format!(
            "{time:<8} {state:<14} {target:<t$} {port:>5} {forwarder:<f$} {to:>b$} {from:>b$} \
             {seconds:>8}"
        )
    }

    /// Whether that still fits behind the row.
    fn has_room(&self, row: &str, more: &str) -> bool {
        let len = row.chars().count() + 1 + more.chars().count();
        self.width.is_none_or(|width| len <= width)
    }

    fn fitting(&self, row: &str) -> String {
        let row = row.trim_end();
        self.width.map_or_else(|| row.to_owned(), |width| cut(row, width))
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
        // The state stands after the time and a space, in a column of fourteen.
        let parts = (row.get(..9), row.get(9..23), row.get(23..));
        let (Some(time), Some(state), Some(rest)) = parts else { return row };
        format!("{time}\x1b[{code}m{state}\x1b[0m{rest}")
    }
}

fn why(closed: &Closed) -> Option<String> {
    closed.reason.as_ref().filter(|_| closed.outcome != Outcome::Ok).map(reason)
}

/// Where a session leads, in as few words as name it.
#[must_use]
pub fn target_name(target: &Destination) -> String {
    let Destination { pid, netns, owner } = target;
    if let Some(pod) = &owner.pod {
        return escaped(format!("{}/{}", pod.namespace, pod.name).as_bytes());
    }
    if let Some(container) = &owner.container {
        let id = container.id.get(..12).unwrap_or(&container.id);
        return escaped(container.name.as_deref().unwrap_or(id).as_bytes());
    }
    match (pid, netns) {
        (_, Some(netns)) => format!("net:[{netns}]"),
        (Some(pid), None) => format!("pid/{pid}"),
        (None, None) => "-".to_owned(),
    }
}

/// At most that many characters of it; the last one tells that there were more.
pub(super) fn cut(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    text.chars().take(width.saturating_sub(1)).chain(['…']).collect()
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

fn seconds(nanoseconds: Option<u64>) -> String {
    let Some(nanoseconds) = nanoseconds else { return "-".to_owned() };
    let milliseconds = nanoseconds / 1_000_000;
    format!("{}.{:03}", milliseconds / 1000, milliseconds % 1000)
}

#[cfg(test)]
mod tests {
    use super::*;

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
            via: crate::trace::Via::NsenterSocat,
            forwarder: crate::trace::Program { pid: 1, comm: b"fifteen-letters"[..].into() },
            helper_pid: None,
            cookie: None,
            target: Destination { netns: Some(4_026_532_178), ..Destination::default() },
            port: 65_535,
            address: None,
            state: State::Closed(Closed {
                outcome: Outcome::HelperMissing,
                reason: Some(crate::trace::Reason::NoSocat),
                helper: None,
                stderr: None,
                bytes_to_pod: Some(999_999),
                bytes_from_pod: None,
                connect_ns: None,
                duration_ns: Some(1_000_000_000_000),
            }),
        };
        for width in [1, 20, 40, 80, 119, 120, 200] {
            let rows = SessionRows::new(Some(width), false);
            for line in [rows.header(), rows.row(&session, None, None)] {
                assert!(line.chars().count() <= width.into(), "{width}: {line}");
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

    #[test]
    fn long_names_are_cut_and_hostile_ones_escaped() {
        assert_eq!(cut("grüße", 5), "grüße");
        assert_eq!(cut("shop/kuard", 5), "shop…");
        let mut target = Destination::default();
        assert_eq!(target_name(&target), "-");
        target.owner.pod = Some(crate::trace::Pod {
            namespace: "a".into(),
            name: "\x1b[31m".into(),
            uid: String::new(),
        });
        assert_eq!(target_name(&target), "a/\\x1b[31m");
    }
}
