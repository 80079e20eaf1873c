//! The view of execs and exits.

use std::io::{self, Write};

use super::columns::Columns;
use crate::model::Update;
use crate::output::sink::Sink;
use crate::output::stderr::{self, complain};

/// Writes a row for each exec and exit.
pub(super) struct ExecSink<W> {
    out: W,
    columns: Columns,
    lost: u64,
}

impl<W: Write> ExecSink<W> {
    pub(super) fn new(out: W, columns: Columns) -> Self {
        Self { out, columns, lost: 0 }
    }
}

impl<W: Write> Sink for ExecSink<W> {
    fn update(&mut self, update: &Update) -> io::Result<()> {
        match update {
            Update::Ready(_) => writeln!(self.out, "{}", self.columns.header()),
            Update::Exec(exec, owner) => writeln!(self.out, "{}", self.columns.row(exec, owner)),
            Update::Exit(exit) => writeln!(self.out, "{}", self.columns.exit_row(exit)),
            Update::Lost(lost) => {
                self.lost = lost.total;
                stderr::report_lost(*lost);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }

    fn end(&mut self, _open: usize) -> io::Result<()> {
        self.flush()?;
        if self.lost > 0 {
            complain(&format!("in all, {} records were lost", self.lost));
        }
        Ok(())
    }
}
