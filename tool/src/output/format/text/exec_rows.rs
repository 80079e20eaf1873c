//! Rows of execs and exits in execsnoop's columns.

use std::fmt::Write as _;

use super::columns::{Columns, wide_columns};
use crate::host::clock;
use crate::model::{Arg, End, ExecEvent, ExitEvent, Owner};
use crate::output::escape::{escaped, quoted, unmarked};
use crate::output::names::{container_name, marked, pod_name, seconds, signal_name};

/// The mark in place of arguments that could not be read.
const UNREADABLE: &str = "<unreadable>";

/// The mark at the end of a row without some of the arguments.
const CUT: &str = "...";

impl Columns {
    /// The row of an exec.
    #[must_use]
    pub fn row(&self, exec: &ExecEvent, owner: &Owner) -> String {
        let ExecEvent { pid, ppid, ret, .. } = exec;
        let mut row = self.first_columns(exec.time_ns, exec.uid, &exec.comm);
        push(&mut row, format_args!("{pid:<6} {ppid:<6} {ret:>3} "));
        if self.wide {
            let netns = exec.netns.map_or_else(|| "-".to_owned(), |inode| inode.to_string());
            row.push_str(&owner_columns(&netns, owner));
        }
        self.push_args(&mut row, exec);
        row
    }

    /// The row of a process's end. RET is `-`, which no exec has: so no argument of an exec can
    /// imitate such a row.
    #[must_use]
    pub fn exit_row(&self, exit: &ExitEvent) -> String {
        let ExitEvent { pid, ppid, .. } = exit;
        let mut row = self.first_columns(exit.time_ns, exit.uid, &exit.comm);
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

    /// The columns up to PCOMM, with which every row begins.
    fn first_columns(&self, time_ns: u64, uid: u32, comm: &[u8]) -> String {
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
                Arg::Text(text) if self.quote => row.push_str(&quoted(text)),
                Arg::Text(text) => row.push_str(&unmarked(text, &[UNREADABLE, CUT])),
                Arg::Unreadable => row.push_str(UNREADABLE),
            }
        }
        if args.unreadable {
            push(row, format_args!("{}{UNREADABLE}", if args.list.is_empty() { "" } else { " " }));
        }
        if args.cut || args.list.is_longer_than(self.max_args) {
            push(row, format_args!(" {CUT}"));
        }
    }
}

fn owner_columns(netns: &str, owner: &Owner) -> String {
    let unknown = || "-".to_owned();
    let named = |name| marked(name, owner.is_claimed);
    let pod = owner.pod.as_ref().map(pod_name).map_or_else(unknown, named);
    let container = owner.container.as_ref().map(container_name).map_or_else(unknown, named);
    wide_columns(netns, &pod, &container)
}

fn push(row: &mut String, text: std::fmt::Arguments<'_>) {
    // Writing to a String cannot fail.
    let _ = row.write_fmt(text);
}
