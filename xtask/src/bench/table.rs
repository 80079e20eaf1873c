//! A table with a row for each candidate, and in each column its ratio to the first row.

use comfy_table::{Cell, CellAlignment, Table, presets};

/// One measure of all rows; `None` where it was not taken.
pub(crate) struct Column {
    pub(crate) title: &'static str,
    pub(crate) values: Vec<Option<f64>>,
    pub(crate) decimals: usize,
}

/// Makes a column; NaN stands for a measure that was not taken.
pub(crate) fn column<M>(
    title: &'static str,
    decimals: usize,
    measures: &[M],
    of: impl Fn(&M) -> f64,
) -> Column {
    let values = measures.iter().map(|m| Some(of(m)).filter(|value| !value.is_nan())).collect();
    Column { title, values, decimals }
}

/// Draws the table. Ratios are to the first row.
pub(crate) fn draw(rows: &[&str], columns: &[Column]) -> String {
    let mut table = Table::new();
    table.load_style(presets::ASCII_MARKDOWN);
    let titles = columns.iter().map(|column| column.title);
    table.set_header(std::iter::once("").chain(titles));
    for (n, name) in rows.iter().enumerate() {
        let cells = columns.iter().map(|column| cell(column, n));
        table.add_row(std::iter::once(Cell::new(name)).chain(cells));
    }
    table.to_string()
}

fn cell(column: &Column, row: usize) -> Cell {
    let value = |row: usize| column.values.get(row).copied().flatten();
    let text = match (value(row), value(0)) {
        (None, _) => "-".to_owned(),
        (Some(value), Some(first)) if row > 0 && first > 0.0 => {
            format!("{value:.*} ({:.2})", column.decimals, value / first)
        }
        (Some(value), _) => format!("{value:.*}", column.decimals),
    };
    Cell::new(text).set_alignment(CellAlignment::Right)
}
