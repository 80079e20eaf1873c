//! What the views of pfsnoop's own forwards, `forward` and `serve`, have in common.

use std::io::{self, Write};
use std::time::Duration;

use super::columns::Columns;
use crate::model::{Closed, Owner, Update};
use crate::output::names::rounded_seconds;
use crate::output::stderr;

/// Writes the execs of helpers, and reports what went wrong.
#[derive(Default)]
pub(super) struct OwnForwards {
    columns: Columns,
}

impl OwnForwards {
    /// Shows an update that is about no connection.
    pub(super) fn update(&self, out: &mut impl Write, update: &Update) -> io::Result<()> {
        match update {
            Update::Ready(ready) if ready.has_execs => writeln!(out, "{}", self.columns.header()),
            Update::Exec(exec, _) => {
                writeln!(out, "{}", self.columns.row(exec, &Owner::default()))
            }
            Update::Lost(lost) => {
                stderr::report_lost(*lost);
                Ok(())
            }
            Update::Trouble(trouble) => {
                stderr::report_trouble(trouble);
                Ok(())
            }
            Update::Restarted(restart) => {
                stderr::report_restart(restart);
                Ok(())
            }
            Update::Line(line) => writeln!(out, "{line}"),
            _ => Ok(()),
        }
    }
}

/// `83 bytes to the pod, 1853 from it, 0.012 s, ok`
pub(super) fn end_in_words(closed: &Closed) -> String {
    let bytes = |bytes: Option<u64>| bytes.map_or_else(|| "?".to_owned(), |n| n.to_string());
    let duration = Duration::from_nanos(closed.duration_ns.unwrap_or(0));
    format!(
        "{} bytes to the pod, {} from it, {}, {}",
        bytes(closed.bytes_to_pod),
        bytes(closed.bytes_from_pod),
        rounded_seconds(duration),
        closed.outcome.name(),
    )
}
