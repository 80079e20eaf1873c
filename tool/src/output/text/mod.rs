//! Text for people: one sink for each view.

mod columns;
mod execs;
mod findings;
mod forward;
mod place_table;
mod port_table;
mod session_rows;
mod sessions;
mod targets;

#[cfg(test)]
mod tests;

use std::io::Write;

pub use columns::Columns;
pub(super) use place_table::counts;
pub(super) use session_rows::SessionRows;
pub(super) use sessions::{report_lost, write_end};

use super::sink::{Sink, View};

/// The sink of a view.
pub(super) fn sink(out: impl Write + 'static, view: View) -> Box<dyn Sink> {
    match view {
        View::Execs(columns) => Box::new(execs::ExecSink::new(out, columns)),
        View::Sessions => Box::new(sessions::SessionSink::new(out)),
        View::Forward => Box::new(forward::ForwardSink::new(out)),
        View::Findings => Box::new(findings::FindingSink::new(out)),
        View::Targets => Box::new(targets::TargetSink::new(out)),
    }
}
