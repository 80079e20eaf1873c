//! The last lines of a terminal, drawn again and again while rows scroll above them.

use std::io::{self, Write};

use crate::output::width::{cut, width};

/// Lines that are removed and drawn again below everything else.
pub(super) struct Footer {
    /// Columns of each line that was drawn.
    drawn: Vec<usize>,
}

/// Clears from the cursor to the end of the screen (ECMA-48, ED).
const CLEAR_BELOW: &str = "\x1b[J";

impl Footer {
    /// Nothing drawn yet.
    pub(super) fn new() -> Self {
        Self { drawn: Vec::new() }
    }

    /// Removes the lines, so that the next output takes their place. `columns` is the terminal's
    /// width now: a terminal that has become narrower has broken the lines.
    pub(super) fn take_back(&mut self, out: &mut impl Write, columns: usize) -> io::Result<()> {
        let rows: usize = self.drawn.drain(..).map(|len| len.div_ceil(columns.max(1)).max(1)).sum();
        if rows > 0 {
            write!(out, "\x1b[{rows}A\r{CLEAR_BELOW}")?;
        }
        Ok(())
    }

    /// Draws lines, each cut to the terminal's width.
    pub(super) fn draw(
        &mut self,
        out: &mut impl Write,
        columns: usize,
        lines: &[String],
    ) -> io::Result<()> {
        for line in lines {
            // Some terminals move the cursor by two rows after a line of their full width.
            let line = cut(line, columns.saturating_sub(1));
            writeln!(out, "{line}")?;
            self.drawn.push(width(&line));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_back_what_it_drew_also_when_the_terminal_got_narrower() {
        let mut footer = Footer::new();
        let mut out = Vec::new();
        footer.take_back(&mut out, 80).unwrap();
        assert!(out.is_empty(), "nothing was drawn");
        footer.draw(&mut out, 10, &["short".into(), "longer than ten".into()]).unwrap();
        assert_eq!(out, "short\nlonger t…\n".as_bytes());
        out.clear();
        footer.take_back(&mut out, 5).unwrap();
        assert_eq!(out, b"\x1b[3A\r\x1b[J");
        out.clear();
        footer.take_back(&mut out, 5).unwrap();
        assert!(out.is_empty(), "taken back once");
    }
}
