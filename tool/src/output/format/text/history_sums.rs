//! The sums of stored sessions: by pod and port, and by hour.

use std::io::{self, Write};

use comfy_table::{Cell, CellAlignment, Table, presets};
use jiff::tz::TimeZone;

use super::target_totals::target_totals;
use crate::model::{HourSums, SessionSums, Sums, Update};
use crate::output::names::{outcome_counts, target_name};
use crate::output::sink::Sink;
use crate::output::terminal::terminal_width;

/// Adds sessions up, and writes two tables at the end.
pub(super) struct HistorySumsSink<W> {
    out: W,
    places: SessionSums,
    hours: HourSums,
    zone: TimeZone,
}

impl<W: Write> HistorySumsSink<W> {
    pub(super) fn new(out: W) -> Self {
        let (places, hours) = (SessionSums::default(), HourSums::default());
        Self { out, places, hours, zone: TimeZone::system() }
    }
}

impl<W: Write> Sink for HistorySumsSink<W> {
    fn update(&mut self, update: &Update) -> io::Result<()> {
        if let Update::Past(past) = update {
            self.places.add(&past.session, target_name(&past.session.target));
            let hour = past.time.to_zoned(self.zone.clone()).strftime("%Y-%m-%d %H:00").to_string();
            self.hours.add(hour, &past.session);
        }
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }

    fn end(&mut self, _open: usize) -> io::Result<()> {
        match target_totals(&self.places, terminal_width()) {
            Some(table) => writeln!(self.out, "{table}\n\n{}", hour_table(&self.hours))?,
            None => writeln!(self.out, "no session has ended")?,
        }
        self.out.flush()
    }
}

fn hour_table(hours: &HourSums) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header(["HOUR", "SESSIONS", "FAILED"]);
    for (hour, sums) in hours.hours() {
        table.add_row(row(hour, sums));
    }
    for column in table.column_iter_mut() {
        column.set_padding((0, 1));
    }
    table.lines().map(|line| line.trim_end().to_owned()).collect::<Vec<_>>().join("\n")
}

fn row(hour: &str, sums: &Sums) -> [Cell; 3] {
    let failed = outcome_counts(&sums.failed);
    [
        Cell::new(hour),
        Cell::new(sums.sessions).set_alignment(CellAlignment::Right),
        Cell::new(if failed.is_empty() { "0".to_owned() } else { failed }),
    ]
}
