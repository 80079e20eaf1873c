//! The view of targets: one table.

use std::io::{self, Write};

use super::target_table::target_table;
use crate::model::{TargetEntry, Update};
use crate::output::sink::Sink;
use crate::output::terminal::terminal_width;

/// Collects targets, and writes the table at the end.
pub(super) struct TargetSink<W> {
    out: W,
    targets: Vec<TargetEntry>,
}

impl<W: Write> TargetSink<W> {
    pub(super) fn new(out: W) -> Self {
        Self { out, targets: Vec::new() }
    }
}

impl<W: Write> Sink for TargetSink<W> {
    fn update(&mut self, update: &Update) -> io::Result<()> {
        if let Update::Target(target) = update {
            self.targets.push(target.as_ref().clone());
        }
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }

    fn end(&mut self, _open: usize) -> io::Result<()> {
        self.out.write_all(target_table(&self.targets, terminal_width()).as_bytes())?;
        self.flush()
    }
}
