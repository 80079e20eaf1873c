//! Sessions on a terminal: those that are over scroll by above those that are open.

mod footer;
mod sink;

pub(super) use sink::LiveSink;
