//! What was watched, as a table: a line for each port of each target.

use std::collections::BTreeMap;

use comfy_table::{Cell, CellAlignment, ContentArrangement, Table, presets};

use super::session::outcome;
use crate::trace::{Outcome, PlaceSums, SessionSums};

const TITLES: [&str; 7] =
    ["TARGET", "PORT", "SESSIONS", "FAILED", "BYTES TO POD", "BYTES FROM POD", "MEDIAN"];

/// The table; `None` when no session has ended. Within `width` cells are broken over several lines.
#[must_use]
pub fn places(sums: &SessionSums, width: Option<u16>) -> Option<String> {
    if sums.places().len() == 0 {
        return None;
    }
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header(TITLES);
    if let Some(width) = width {
        table.set_content_arrangement(ContentArrangement::Dynamic).set_width(width);
    }
    for ((target, port), sums) in sums.places() {
        table.add_row(row(target, *port, sums));
    }
    for column in table.column_iter_mut() {
        column.set_padding((0, 1));
        if column.index > 0 && TITLES[column.index] != "FAILED" {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    Some(table.lines().map(|line| line.trim_end().to_owned()).collect::<Vec<_>>().join("\n"))
}

fn row(target: &str, port: u16, sums: &PlaceSums) -> [Cell; 7] {
    let failed = counts(&sums.failed);
    [
        Cell::new(target),
        // Of the places that are not told apart there is no one port.
        Cell::new(if port == 0 { "-".to_owned() } else { port.to_string() }),
        Cell::new(sums.sessions),
        Cell::new(if failed.is_empty() { "0".to_owned() } else { failed }),
        Cell::new(sums.bytes_to_pod),
        Cell::new(sums.bytes_from_pod),
        Cell::new(format!("{:.3} s", sums.times.median().as_secs_f64())),
    ]
}

/// `2 refused, 1 timeout`.
#[must_use]
pub fn counts(outcomes: &BTreeMap<Outcome, u64>) -> String {
    let counts = outcomes.iter().map(|(&why, count)| format!("{count} {}", outcome(why)));
    counts.collect::<Vec<_>>().join(", ")
}
