//! The columns of exec rows: execsnoop's, with exactly its widths (bcc tools/execsnoop.py,
//! libbpf-tools/execsnoop.c), and those that `-o wide` adds.

use jiff::tz::TimeZone;

/// Which columns a row has, and how arguments are shown.
#[derive(Clone, Debug)]
pub struct Columns {
    /// `-T`: wall-clock time, HH:MM:SS.
    pub time: bool,
    /// `-t`: seconds since this time (`CLOCK_BOOTTIME`, ns).
    pub timestamp_since: Option<u64>,
    /// `-U`: the real user id.
    pub uid: bool,
    /// `-o wide`: also the network namespace, pod and container.
    pub wide: bool,
    /// `-q`: each argument in quotes.
    pub quote: bool,
    /// How many arguments a row shows.
    pub max_args: usize,
    /// The time zone of `-T`.
    pub zone: TimeZone,
}

impl Default for Columns {
    fn default() -> Self {
        Self {
            time: false,
            timestamp_since: None,
            uid: false,
            wide: false,
            quote: false,
            max_args: 20,
            zone: TimeZone::UTC,
        }
    }
}

impl Columns {
    /// The columns of `-o wide`.
    #[must_use]
    pub fn wide(self) -> Self {
        Self { wide: true, uid: true, ..self }
    }

    /// The header line.
    #[must_use]
    pub fn header(&self) -> String {
        let time = if self.time { "TIME     " } else { "" };
        let timestamp = if self.timestamp_since.is_some() { "TIME(s) " } else { "" };
        let uid = if self.uid { "UID    " } else { "" };
        let wide =
            if self.wide { wide_columns("NETNS", "POD", "CONTAINER") } else { String::new() };
        let [comm, pid, ppid, ret] = ["PCOMM", "PID", "PPID", "RET"];
        format!("{time}{timestamp}{uid}{comm:<16} {pid:<6} {ppid:<6} {ret:>3} {wide}ARGS")
    }
}

/// The columns that `-o wide` adds. A long name moves the columns after it to the right.
pub(super) fn wide_columns(netns: &str, pod: &str, container: &str) -> String {
    format!("{netns:<10} {pod:<28} {container:<20} ")
}
