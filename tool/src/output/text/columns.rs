//! execsnoop's columns, to the column (bcc tools/execsnoop.py, libbpf-tools/execsnoop.c).

use std::fmt::Write as _;

use jiff::tz::TimeZone;

use crate::host::clock;
use crate::model::{Arg, End, ExecEvent, ExitEvent, Owner};
use crate::output::escape::escaped;
use crate::output::names::{container_name, pod_name, seconds, signal_name};

/// Which columns a row has, and how arguments are shown.
#[derive(Clone, Debug)]
pub struct Columns {
    /// `-T`: wall-clock time, HH:MM:SS.
    pub time: bool,
    /// `-t`: seconds since this instant of `CLOCK_BOOTTIME`, ns.
    pub timestamp_since: Option<u64>,
    /// `-U`: real user id.
    pub uid: bool,
    /// `-o wide`: network namespace, pod and container too.
    pub wide: bool,
    /// `-q`: each argument in quotes.
    pub quote: bool,
    /// Most arguments shown.
    pub max_args: usize,
    /// Time zone of `-T`.
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

    /// The line above the rows.
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

    /// One exec.
    #[must_use]
    pub fn row(&self, exec: &ExecEvent, owner: &Owner) -> String {
        let ExecEvent { pid, ppid, ret, .. } = exec;
        let mut row = self.beginning(exec.time_ns, exec.uid, &exec.comm);
        push(&mut row, format_args!("{pid:<6} {ppid:<6} {ret:>3} "));
        if self.wide {
            let netns = exec.netns.map_or_else(|| "-".to_owned(), |inode| inode.to_string());
            row.push_str(&owner_columns(&netns, owner));
        }
        self.push_args(&mut row, exec);
        row
    }

    /// The end of a process. RET is `-`: no exec has that, so no argument can pass for an end.
    #[must_use]
    pub fn exit_row(&self, exit: &ExitEvent) -> String {
        let ExitEvent { pid, ppid, .. } = exit;
        let mut row = self.beginning(exit.time_ns, exit.uid, &exit.comm);
        push(&mut row, format_args!("{pid:<6} {ppid:<6} {:>3} ", "-"));
        if self.wide {
            row.push_str(&wide_columns("-", "-", "-"));
        }
        match exit.end {
            End::Exited(code) => push(&mut row, format_args!("exit {code}")),
            End::Killed(signal) => {
                push(&mut row, format_args!("killed by {}", signal_name(signal)));
            }
        }
        if let Some(lived) = exit.lived_ns() {
            push(&mut row, format_args!(" after {} s", seconds(lived)));
        }
        row
    }

    /// The columns that every row begins with.
    fn beginning(&self, time_ns: u64, uid: u32, comm: &[u8]) -> String {
        let mut row = String::with_capacity(128);
        self.push_times(&mut row, time_ns);
        if self.uid {
            push(&mut row, format_args!("{uid:<6} "));
        }
        push(&mut row, format_args!("{:<16} ", escaped(comm)));
        row
    }

    fn push_times(&self, row: &mut String, time_ns: u64) {
        if self.time {
            let time = clock::wall_time(time_ns).to_zoned(self.zone.clone());
            push(row, format_args!("{:<9}", time.strftime("%H:%M:%S").to_string()));
        }
        if let Some(start) = self.timestamp_since {
            push(row, format_args!("{:<7} ", seconds(time_ns.saturating_sub(start))));
        }
    }

    fn push_args(&self, row: &mut String, exec: &ExecEvent) {
        let args = &exec.args;
        for (n, arg) in exec.shown_args().take(self.max_args).enumerate() {
            if n > 0 {
                row.push(' ');
            }
            match arg {
                Arg::Text(text) if self.quote => {
                    push(row, format_args!("\"{}\"", escaped(text).replace('"', "\\\"")));
                }
                Arg::Text(text) => row.push_str(&escaped(text)),
                Arg::Unreadable => row.push_str("<unreadable>"),
            }
        }
        if args.unreadable {
            row.push_str(if args.list.is_empty() { "<unreadable>" } else { " <unreadable>" });
        }
        if args.cut || args.list.len() > self.max_args {
            row.push_str(" ...");
        }
    }
}

fn owner_columns(netns: &str, owner: &Owner) -> String {
    let unknown = || "-".to_owned();
    let pod = owner.pod.as_ref().map_or_else(unknown, pod_name);
    let container = owner.container.as_ref().map_or_else(unknown, container_name);
    wide_columns(netns, &pod, &container)
}

/// The columns that `-o wide` adds. A long name pushes what follows to the right.
fn wide_columns(netns: &str, pod: &str, container: &str) -> String {
    format!("{netns:<10} {pod:<28} {container:<20} ")
}

fn push(row: &mut String, text: std::fmt::Arguments<'_>) {
    // Writing to a String cannot fail.
    let _ = row.write_fmt(text);
}
