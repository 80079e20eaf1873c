//! The totals of `watch`, by target and port.

use comfy_table::{
    Cell, CellAlignment, ColumnConstraint, ContentArrangement, Table, Width, presets,
};

use crate::model::{SessionSums, Sums};
use crate::output::names::{outcome_counts, rounded_seconds};
use crate::output::width::width;

const TITLES: [&str; 7] = ["TARGET", "PORT", "SESSIONS", "FAILED", "TO POD", "FROM POD", "MEDIAN"];

/// The width of the narrowest table. A narrower terminal breaks its lines.
const MIN_WIDTH: u16 = 80;

/// Names up to this width stay on one line.
const MAX_UNBROKEN_NAME: usize = 30;

/// The table. `None` if no session has closed. In a terminal of `columns`, long cells are broken
/// over several lines, names last.
pub(in crate::output) fn target_totals(sums: &SessionSums, columns: Option<u16>) -> Option<String> {
    if sums.places().len() == 0 {
        return None;
    }
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header(TITLES);
    if let Some(columns) = columns {
        let columns = columns.max(MIN_WIDTH);
        table.set_content_arrangement(ContentArrangement::Dynamic).set_width(columns);
    }
    for ((target, port), sums) in sums.places() {
        table.add_row(row(target, *port, sums));
    }
    for column in table.column_iter_mut() {
        column.set_padding((0, 1));
        if column.index == 0 {
            column.set_constraint(ColumnConstraint::LowerBoundary(Width::Fixed(name_width(sums))));
        }
        if column.index > 0 && TITLES[column.index] != "FAILED" {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    Some(table.lines().map(|line| line.trim_end().to_owned()).collect::<Vec<_>>().join("\n"))
}

/// The width of the name column, with a space after it.
fn name_width(sums: &SessionSums) -> u16 {
    let longest = sums.places().map(|((target, _), _)| width(target)).max();
    u16::try_from(longest.unwrap_or(0).min(MAX_UNBROKEN_NAME) + 1).unwrap_or(u16::MAX)
}

fn row(target: &str, port: u16, sums: &Sums) -> [Cell; 7] {
    let failed = outcome_counts(&sums.failed);
    [
        Cell::new(target),
        // Port 0 marks the row that sums up all remaining places.
        Cell::new(if port == 0 { "-".to_owned() } else { port.to_string() }),
        Cell::new(sums.sessions),
        Cell::new(if failed.is_empty() { "0".to_owned() } else { failed }),
        Cell::new(sums.bytes_to_pod),
        Cell::new(sums.bytes_from_pod),
        Cell::new(rounded_seconds(sums.times.median())),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Closed, Outcome, Session};

    fn sums() -> SessionSums {
        let mut sums = SessionSums::default();
        let outcomes = [Outcome::Ok, Outcome::Killed, Outcome::HelperMissing, Outcome::Killed];
        for (n, outcome) in (1..).zip(outcomes) {
            let closed = Closed {
                bytes_to_pod: Some(1000),
                bytes_from_pod: Some(1_234_567),
                duration_ns: Some(n * 1_000_000_000),
                ..Closed::example(outcome)
            };
            let session = Session::example(closed);
            sums.add(&session, "net:[4026532178]".to_owned());
        }
        sums
    }

    #[test]
    fn a_row_for_each_place() {
        let table = target_totals(&sums(), None).unwrap();
        let lines: Vec<Vec<_>> =
            table.lines().map(|line| line.split_whitespace().collect()).collect();
        assert_eq!(lines[0].join(" "), "TARGET PORT SESSIONS FAILED TO POD FROM POD MEDIAN");
        let sums = "net:[4026532178] 8080 4 1 helper-missing, 2 killed 4000 4938268 ";
        assert!(lines[1].join(" ").starts_with(sums), "{table}");
        let median: f64 = lines[1][lines[1].len() - 2].parse().unwrap();
        assert!((2.0..=3.1).contains(&median), "{table}");
        assert!(target_totals(&SessionSums::default(), None).is_none());
    }

    #[test]
    fn a_terminal_does_not_break_names_and_counts() {
        for width in [40, 80, 200] {
            let table = target_totals(&sums(), Some(width)).unwrap();
            for whole in ["net:[4026532178] ", "1 helper-missing,", "4938268"] {
                assert!(table.contains(whole), "{width}: {table}");
            }
            let widest = table.lines().map(|line| line.chars().count()).max().unwrap();
            assert!(widest <= usize::from(width.max(MIN_WIDTH)), "{width}: {table}");
        }
    }
}
