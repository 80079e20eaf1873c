//! The terminal that stdout is, if it is one.

use std::io::{IsTerminal as _, stdout};

use rustix::termios::{Winsize, tcgetwinsize};

/// The size of a terminal that does not report it.
const DEFAULT_SIZE: (u16, u16) = (80, 24);

/// Its width in columns; `None` when stdout is not a terminal, or its width is not known.
pub(super) fn terminal_width() -> Option<u16> {
    reported().map(|size| size.ws_col).filter(|&columns| columns > 0)
}

/// Its columns and rows.
pub(super) fn size() -> (u16, u16) {
    let size = reported().filter(|size| size.ws_col > 0 && size.ws_row > 0);
    size.map_or(DEFAULT_SIZE, |size| (size.ws_col, size.ws_row))
}

/// Whether stdout is a terminal and colours are wanted: not if `NO_COLOR` is set and not empty
/// (<https://no-color.org>).
pub(super) fn has_colour() -> bool {
    stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

fn reported() -> Option<Winsize> {
    tcgetwinsize(stdout()).ok()
}
