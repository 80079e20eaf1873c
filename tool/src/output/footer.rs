//! The lower end of a terminal, drawn anew while rows scroll above it.

use std::io::{self, Write};

use super::sessions::cut;

/// Lines that are taken back and drawn again, below everything else that is printed.
pub(super) struct Footer {
    /// Columns of each line as it was drawn last.
    drawn: Vec<usize>,
}

/// Clears from the cursor to the end of the screen (ECMA-48, ED).
const CLEAR_BELOW: &str = "\x1b[J";

impl Footer {
    /// Nothing drawn yet.
    pub(super) fn new() -> Self {
        Self { drawn: Vec::new() }
    }

    /// Takes the lines back, so that what is printed next stands in their place. `width` is the
    /// terminal's now: one that has become narrower has broken the lines.
    pub(super) fn take_back(&mut self, out: &mut impl Write, width: usize) -> io::Result<()> {
        let rows: usize = self.drawn.drain(..).map(|len| len.div_ceil(width.max(1)).max(1)).sum();
        if rows > 0 {
            write!(out, "\x1b[{rows}A\r{CLEAR_BELOW}")?;
        }
        Ok(())
    }

    /// Draws lines, each cut to the terminal's width.
    pub(super) fn draw(
        &mut self,
        out: &mut impl Write,
        width: usize,
        lines: &[String],
    ) -> io::Result<()> {
        for line in lines {
            // A line as wide as the terminal would move the cursor by two rows in some of them.
            let line = cut(line, width.saturating_sub(1));
            writeln!(out, "{line}")?;
            self.drawn.push(line.chars().count());
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
