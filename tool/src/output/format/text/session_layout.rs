//! The columns of session rows, for a terminal of some width or for a pipe.

use super::short_size::short_size;
use crate::output::width::{cut, padded, width};

/// From this width on, rows have every column: together with VIA, they take so many columns. WHY
/// has what is left, or the next line.
const WIDE: usize = 120;

/// The widths of the columns.
#[derive(Clone, Debug)]
pub(super) struct SessionLayout {
    /// The terminal's width, which no row exceeds. `None` for a pipe.
    width: Option<usize>,
    /// The format of the time (strftime(3)), and its width.
    time: (&'static str, usize),
    target: usize,
    forwarder: usize,
    bytes: usize,
    /// Whether rows have VIA and WHY, and exact numbers of bytes.
    is_wide: bool,
}

impl SessionLayout {
    /// The layout for a terminal of `width` columns, or for a pipe, where a row may have any
    /// length.
    pub(super) fn new(width: Option<u16>) -> Self {
        let width = width.map(usize::from);
        let is_wide = width.is_none_or(|width| width >= WIDE);
        // Together with the fixed columns, the narrow ones take 80.
        let (target, forwarder, bytes) = if is_wide { (29, 15, 10) } else { (16, 11, 5) };
        Self { width, time: ("%H:%M:%S", 8), target, forwarder, bytes, is_wide }
    }

    /// The same with the date of each session.
    pub(super) fn with_date(width: Option<u16>) -> Self {
        let (long, short) = (("%Y-%m-%d %H:%M:%S", 19), ("%m-%d %H:%M:%S", 14));
        let is_wide = width.is_none_or(|width| usize::from(width) >= WIDE + long.1 - 8);
        // Together with the fixed columns, the narrow ones take 80 here, too.
        let (time, target, forwarder, bytes) =
            if is_wide { (long, 29, 15, 10) } else { (short, 13, 8, 5) };
        Self { width: width.map(usize::from), time, target, forwarder, bytes, is_wide }
    }

    /// How the time is written.
    pub(super) fn time_format(&self) -> &'static str {
        self.time.0
    }

    /// Where the column of the state begins.
    pub(super) fn state_at(&self) -> usize {
        self.time.1 + 1
    }

    pub(super) fn is_wide(&self) -> bool {
        self.is_wide
    }

    /// The header line. `more` has titles of further columns.
    pub(super) fn header(&self, more: &str) -> String {
        let (to, from) = if self.is_wide { ("TO POD", "FROM POD") } else { ("TO", "FROM") };
        let titles = ["TIME", "STATE", "TARGET", "PORT", "FORWARDER", to, from, "SECONDS"];
        let mut header = self.columns(titles);
        if self.is_wide {
            header.push_str(" VIA          ");
            if !more.is_empty() {
                header.push(' ');
                header.push_str(more);
            }
            if self.has_room(&header, "WHY") {
                header.push_str(" WHY");
            }
        }
        self.fit(&header)
    }

    /// The columns that every row has.
    pub(super) fn columns(&self, cells: [&str; 8]) -> String {
        let [time, state, target, port, forwarder, to, from, seconds] = cells;
        let (bytes, time_width) = (self.bytes, self.time.1);
        // Only a terminal needs the names to be cut.
        let room = |name: &str, least: usize| self.width.map_or(width(name), |_| 0).max(least);
        let target = padded(target, room(target, self.target));
        let forwarder = padded(forwarder, room(forwarder, self.forwarder));
        format!(
            "{time:<time_width$} {state:<14} {target} {port:>5} {forwarder} {to:>bytes$} {from:>bytes$} \
             {seconds:>8}"
        )
    }

    /// Whether `more` fits after the row.
    pub(super) fn has_room(&self, row: &str, more: &str) -> bool {
        let needed = width(row) + 1 + width(more);
        self.width.is_none_or(|columns| needed <= columns)
    }

    /// The row, cut to the terminal's width.
    pub(super) fn fit(&self, row: &str) -> String {
        let row = row.trim_end();
        self.width.map_or_else(|| row.to_owned(), |columns| cut(row, columns))
    }

    /// A number of bytes: exact in a wide row, short in a narrow one.
    pub(super) fn size(&self, bytes: Option<u64>) -> String {
        match bytes {
            None => "-".to_owned(),
            Some(bytes) if self.is_wide => bytes.to_string(),
            Some(bytes) => short_size(bytes),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_narrowest_wide_row_has_room_for_via() {
        let layout = SessionLayout::new(u16::try_from(WIDE).ok());
        let row = format!("{} nsenter+socat", layout.columns([""; 8]));
        assert_eq!(layout.fit(&row), row);
        assert!(layout.header("").ends_with(" VIA"), "WHY has no room: {}", layout.header(""));
    }
}
