//! One sink that is several.

use std::io;

use crate::model::Update;
use crate::output::Sink;

/// Gives each update to each of its sinks, in order. None of them may wait for a disk or a network.
pub struct Fanout {
    sinks: Vec<Box<dyn Sink>>,
}

impl Fanout {
    /// The sinks of the agent write nothing to stdout, and so never fail.
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
