//! The live view of sessions on a terminal: closed sessions scroll up, open sessions stay at the
//! bottom.

mod footer;
mod lines;
mod sink;

pub(super) use sink::LiveSink;
