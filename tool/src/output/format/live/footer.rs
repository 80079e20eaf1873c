//! The last lines of a terminal, which are redrawn while rows scroll above them.

use std::io::{self, Write};

use crate::output::width::{cut, width};

/// The lines that stay below everything else.
pub(super) struct Footer {
    /// The width of each line that was drawn.
    drawn: Vec<usize>,
}

/// Clears from the cursor to the end of the screen (ECMA-48, ED).
const CLEAR_BELOW: &str = "\x1b[J";

impl Footer {
    /// A footer with no lines yet.
    pub(super) fn new() -> Self {
        Self { drawn: Vec::new() }
    }

    /// Erases the lines, so that the next output takes their place. `columns` is the terminal's
    /// current width: a terminal that has become narrower has broken the lines over several rows.
    pub(super) fn erase(&mut self, out: &mut impl Write, columns: usize) -> io::Result<()> {
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
            // After a line of the full width, some terminals move the cursor by two rows.
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
    fn erases_all_rows_even_if_the_terminal_became_narrower() {
        let mut footer = Footer::new();
        let mut out = Vec::new();
        footer.erase(&mut out, 80).unwrap();
        assert!(out.is_empty(), "nothing was drawn");
        footer.draw(&mut out, 10, &["short".into(), "longer than ten".into()]).unwrap();
        assert_eq!(out, "short\nlonger t…\n".as_bytes());
        out.clear();
        footer.erase(&mut out, 5).unwrap();
        assert_eq!(out, b"\x1b[3A\r\x1b[J");
        out.clear();
        footer.erase(&mut out, 5).unwrap();
        assert!(out.is_empty(), "erased once");
    }
}
