//! execsnoop's columns, to the column (bcc tools/execsnoop.py, libbpf-tools/execsnoop.c).

use std::fmt::Write as _;

use jiff::tz::TimeZone;

use super::escape::escaped;
use crate::node::clock;
use crate::trace::{Arg, ExecEvent};

/// Which columns, and how arguments are shown.
#[derive(Clone, Debug)]
pub struct Columns {
    /// `-T`: wall-clock time, HH:MM:SS.
    pub time: bool,
    /// `-t`: seconds since this instant of `CLOCK_BOOTTIME`, ns.
    pub timestamp_since: Option<u64>,
    /// `-U`: real user id.
    pub uid: bool,
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
            quote: false,
            max_args: 20,
            zone: TimeZone::UTC,
        }
    }
}

impl Columns {
    /// The line above the rows.
    #[must_use]
    pub fn header(&self) -> String {
        let time = if self.time { "TIME     " } else { "" };
        let timestamp = if self.timestamp_since.is_some() {
            "TIME(s) "
        } else {
            ""
        };
        let uid = if self.uid { "UID    " } else { "" };
        format!(
            "{time}{timestamp}{uid}{:<16} {:<6} {:<6} {:>3} ARGS",
            "PCOMM", "PID", "PPID", "RET"
        )
    }

    /// One exec.
    #[must_use]
    pub fn row(&self, exec: &ExecEvent) -> String {
        let mut row = String::with_capacity(128);
        self.push_times(&mut row, exec);
        if self.uid {
            push(&mut row, format_args!("{:<6} ", exec.uid));
        }
        let comm = escaped(&exec.comm);
        let ExecEvent { pid, ppid, ret, .. } = exec;
        push(
            &mut row,
            format_args!("{comm:<16} {pid:<6} {ppid:<6} {ret:>3} "),
        );
        self.push_args(&mut row, exec);
        row
    }

    fn push_times(&self, row: &mut String, exec: &ExecEvent) {
        if self.time {
            let time = clock::wall_time(exec.time_ns).to_zoned(self.zone.clone());
            push(
                row,
                format_args!("{:<9}", time.strftime("%H:%M:%S").to_string()),
            );
        }
        if let Some(start) = self.timestamp_since {
            let nanoseconds = exec.time_ns.saturating_sub(start);
            let (seconds, millis) = (nanoseconds / 1_000_000_000, nanoseconds / 1_000_000 % 1000);
            push(row, format_args!("{:<8}", format!("{seconds}.{millis:03}")));
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
                    push(
                        row,
                        format_args!("\"{}\"", escaped(text).replace('"', "\\\"")),
                    );
                }
                Arg::Text(text) => row.push_str(&escaped(text)),
                Arg::Unreadable => row.push_str("<unreadable>"),
            }
        }
        if args.unreadable {
            row.push_str(if args.list.is_empty() {
                "<unreadable>"
            } else {
                " <unreadable>"
            });
        }
        if args.cut || args.list.len() > self.max_args {
            row.push_str(" ...");
        }
    }
}

fn push(row: &mut String, text: std::fmt::Arguments<'_>) {
    // Writing to a String cannot fail.
    let _ = row.write_fmt(text);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trace::Args;

    fn exec(args: &[&[u8]]) -> ExecEvent {
        ExecEvent {
            time_ns: 12_345_678_901,
            start_ns: 1,
            pid: 25898,
            tid: 25898,
            ppid: 976,
            uid: 1000,
            gid: 1000,
            ret: 0,
            comm: b"nsenter"[..].into(),
            parent_comm: b"kubelet"[..].into(),
            filename: b"/usr/bin/nsenter"[..].into(),
            args: Args {
                list: args.iter().map(|&arg| Arg::Text(arg.into())).collect(),
                ..Args::default()
            },
            netns: None,
            mntns: None,
            pidns: None,
            cgroup_id: 0,
        }
    }

    #[test]
    fn the_articles_lines_to_the_column() {
        let columns = Columns::default();
        assert_eq!(columns.header(), "PCOMM            PID    PPID   RET ARGS");
        let args: Vec<&[u8]> = "/usr/bin/nsenter -t 4947 -n /usr/bin/socat - TCP4:localhost:8080"
            .split(' ')
            .map(str::as_bytes)
            .collect();
        assert_eq!(
            columns.row(&exec(&args)),
            "nsenter          25898  976      0 /usr/bin/nsenter -t 4947 -n /usr/bin/socat - TCP4:localhost:8080"
        );
    }

    #[test]
    fn optional_columns_keep_their_headers() {
        let columns = Columns {
            time: true,
            timestamp_since: Some(2_345_000_000),
            uid: true,
            ..Columns::default()
        };
        assert_eq!(
            columns.header(),
            "TIME     TIME(s) UID    PCOMM            PID    PPID   RET ARGS"
        );
        let row = columns.row(&exec(&[b"x"]));
        assert_eq!(
            &row[8..],
            " 10.000  1000   nsenter          25898  976      0 x"
        );
    }

    #[test]
    fn dots_only_when_something_was_cut() {
        let columns = Columns {
            max_args: 2,
            ..Columns::default()
        };
        assert!(columns.row(&exec(&[b"a", b"b"])).ends_with(" a b"));
        assert!(
            columns
                .row(&exec(&[b"a", b"b", b"c"]))
                .ends_with(" a b ...")
        );
        let mut cut = exec(&[b"a"]);
        cut.args.cut = true;
        assert!(columns.row(&cut).ends_with(" a ..."));
    }

    #[test]
    fn quotes_escape_quotes_and_controls() {
        let columns = Columns {
            quote: true,
            ..Columns::default()
        };
        assert!(
            columns
                .row(&exec(&[b"a\"b", b"", b"c\nd"]))
                .ends_with(r#" "a\"b" "" "c\nd""#)
        );
    }

    #[test]
    fn a_bare_name_is_shown_as_its_file_and_a_fake_one_as_it_is() {
        let columns = Columns::default();
        assert!(
            columns
                .row(&exec(&[b"nsenter", b"nsenter"]))
                .ends_with("0 /usr/bin/nsenter nsenter")
        );
        assert!(columns.row(&exec(&[b"-bash"])).ends_with("0 -bash"));
    }

    #[test]
    fn unreadable_is_not_empty() {
        let mut event = exec(&[b"a"]);
        event.args.list.push(Arg::Unreadable);
        assert!(Columns::default().row(&event).ends_with(" a <unreadable>"));
        event.args = Args {
            unreadable: true,
            ..Args::default()
        };
        assert!(Columns::default().row(&event).ends_with("0 <unreadable>"));
    }
}
