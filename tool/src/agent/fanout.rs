//! A sink that passes each update on to several sinks.

use std::io;

use crate::model::Update;
use crate::output::Sink;

/// Passes each update to all of its sinks, in order. No sink may wait for a disk or a network.
pub struct Fanout {
    sinks: Vec<Box<dyn Sink>>,
}

impl Fanout {
    /// The agent's sinks write nothing to stdout, so they never fail.
    #[must_use]
    pub fn new(sinks: Vec<Box<dyn Sink>>) -> Self {
        Self { sinks }
    }
}

impl Sink for Fanout {
    fn update(&mut self, update: &Update) -> io::Result<()> {
        self.sinks.iter_mut().try_for_each(|sink| sink.update(update))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.sinks.iter_mut().try_for_each(|sink| sink.flush())
    }

    fn end(&mut self, open: usize) -> io::Result<()> {
        self.sinks.iter_mut().try_for_each(|sink| sink.end(open))
    }
}
