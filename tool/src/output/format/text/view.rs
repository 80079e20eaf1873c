//! The sink for each view.

use std::io::Write;

use super::execs::ExecSink;
use super::findings::FindingSink;
use super::forward::ForwardSink;
use super::history::HistorySink;
use super::history_sums::HistorySumsSink;
use super::serve::ServeSink;
use super::sessions::SessionSink;
use super::targets::TargetSink;
use crate::output::sink::Sink;
use crate::output::view::View;

/// The text sink for a view.
pub(in crate::output) fn sink(out: impl Write + 'static, view: View) -> Box<dyn Sink> {
    match view {
        View::Execs(columns) => Box::new(ExecSink::new(out, columns)),
        View::Sessions => Box::new(SessionSink::new(out)),
        View::History { is_wide, .. } => Box::new(HistorySink::new(out, is_wide)),
        View::HistorySums => Box::new(HistorySumsSink::new(out)),
        View::Forward => Box::new(ForwardSink::new(out)),
        View::Serve => Box::new(ServeSink::new(out)),
        View::Findings => Box::new(FindingSink::new(out)),
        View::Targets => Box::new(TargetSink::new(out)),
    }
}
