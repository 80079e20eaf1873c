//! Where a command sends its updates.

use std::io;

use crate::model::Update;
use crate::sessions::OpenSession;

/// Shows updates. Each sink shows the kinds of updates that it knows, and ignores the others.
///
/// An error means that writing to stdout failed, and that the command ends. A command that runs on
/// ends only if nobody reads its output.
pub trait Sink {
    /// Shows an update.
    fn update(&mut self, update: &Update) -> io::Result<()>;

    /// How many open sessions [`draw`](Self::draw) can show. 0 if the sink shows none.
    fn open_rows(&self) -> usize {
        0
    }

    /// Whether it is time to [`draw`](Self::draw) again. `now_ns` is `CLOCK_BOOTTIME`.
    fn is_draw_due(&self, _now_ns: u64) -> bool {
        false
    }

    /// Draws the open sessions. `open` holds the first of them, `count` is the number of all.
    fn draw(&mut self, _open: &[OpenSession], _count: usize, _now_ns: u64) -> io::Result<()> {
        Ok(())
    }

    /// Writes what the sink has buffered. Most sinks buffer nothing.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }

    /// Writes what comes at the end. `open` is the number of sessions that are still open.
    fn end(&mut self, _open: usize) -> io::Result<()> {
        Ok(())
    }
}
