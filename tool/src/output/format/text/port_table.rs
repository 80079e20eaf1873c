//! The table of totals of `forward`: a row for each pair of ports.

use comfy_table::{Cell, CellAlignment, Table, presets};

use crate::model::{PortPair, PortSums, Sums};
use crate::output::names::{outcome_counts, rounded_seconds};

const TITLES: [&str; 7] =
    ["PORTS", "CONNECTIONS", "FAILED", "BYTES TO POD", "BYTES FROM POD", "MEDIAN", "MAX"];

/// The table. `None` if there was no connection.
pub(super) fn port_table(port_sums: &PortSums) -> Option<String> {
    if port_sums.pairs().is_empty() {
        return None;
    }
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header(TITLES);
    for &(pair, ref sums) in port_sums.pairs() {
        table.add_row(row(pair, sums));
    }
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
        if column.index > 0 && TITLES[column.index] != "FAILED" {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    Some(table.trim_fmt())
}

fn row(pair: PortPair, sums: &Sums) -> [Cell; 7] {
    let failed = outcome_counts(&sums.failed);
    [
        Cell::new(pair),
        Cell::new(sums.sessions),
        Cell::new(if failed.is_empty() { "0".to_owned() } else { failed }),
        Cell::new(sums.bytes_to_pod),
        Cell::new(sums.bytes_from_pod),
        Cell::new(rounded_seconds(sums.times.median())),
        Cell::new(rounded_seconds(sums.times.max())),
    ]
}
