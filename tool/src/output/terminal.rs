//! The terminal that stdout is, if it is one.

use std::io::{IsTerminal as _, stdout};

use rustix::termios::{Winsize, tcgetwinsize};

/// Of a terminal that does not tell its size.
const USUAL: (u16, u16) = (80, 24);

/// Its columns; `None` when stdout is no terminal, or its width is not known.
#[must_use]
pub fn terminal_width() -> Option<u16> {
    told().map(|size| size.ws_col).filter(|&columns| columns > 0)
}

/// Its columns and rows.
pub(super) fn size() -> (u16, u16) {
    let size = told().filter(|size| size.ws_col > 0 && size.ws_row > 0);
    size.map_or(USUAL, |size| (size.ws_col, size.ws_row))
}

/// Whether it is one, and colours are wanted there: unless `NO_COLOR` is set to anything but
/// nothing (<https://no-color.org>).
pub(super) fn has_colour() -> bool {
    stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

fn told() -> Option<Winsize> {
    tcgetwinsize(stdout()).ok()
}
