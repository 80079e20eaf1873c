//! The lines of the footer.

use crate::model::{Session, SessionSums};
use crate::output::format::text::SessionRows;
use crate::output::names::outcome_counts;
use crate::sessions::OpenSession;

/// The row of an open session.
pub(super) fn open_row(rows: &SessionRows, open: &OpenSession, now_ns: u64) -> String {
    let bytes = open.bytes.map(|bytes| (bytes.sent, bytes.received));
    let age = now_ns.saturating_sub(open.started_ns);
    // Show the time of the start, since rows are in that order.
    let session = Session { time_ns: open.started_ns, ..open.session.clone() };
    rows.row(&session, bytes, Some(age))
}

/// The last line: `3 open, 10 ok, 2 refused`, or `3 open, 7 records lost, 10 ok, 2 refused`. A
/// narrow terminal cuts the end off, so the loss comes early.
pub(super) fn summary(open: usize, sums: &SessionSums, lost: u64) -> String {
    let ended = outcome_counts(sums.outcomes());
    let comma = if ended.is_empty() { "" } else { ", " };
    let lost = if lost > 0 { format!(", {lost} records lost") } else { String::new() };
    format!("{open} open{lost}{comma}{ended}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_loss_comes_before_the_outcomes() {
        let sums = SessionSums::default();
        assert_eq!(summary(3, &sums, 0), "3 open");
        assert_eq!(summary(3, &sums, 7), "3 open, 7 records lost");
    }
}
