//! Stdout as a terminal, if it is one.

use std::io::{IsTerminal as _, stdout};

use rustix::termios::{Winsize, tcgetwinsize};

/// The size to assume when the terminal reports none.
const DEFAULT_SIZE: (u16, u16) = (80, 24);

/// The width in columns. `None` if stdout is not a terminal, or the width is unknown.
pub(super) fn terminal_width() -> Option<u16> {
    window_size().map(|size| size.ws_col).filter(|&columns| columns > 0)
}

/// The size: columns and rows.
pub(super) fn size() -> (u16, u16) {
    let size = window_size().filter(|size| size.ws_col > 0 && size.ws_row > 0);
    size.map_or(DEFAULT_SIZE, |size| (size.ws_col, size.ws_row))
}

/// Whether to print colours: stdout is a terminal, and `NO_COLOR` is unset or empty
/// (<https://no-color.org>).
pub(super) fn has_colour() -> bool {
    stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

fn window_size() -> Option<Winsize> {
    tcgetwinsize(stdout()).ok()
}
