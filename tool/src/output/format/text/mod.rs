//! Text for people: one sink for each view.

mod columns;
mod exec_rows;
mod execs;
mod findings;
mod forward;
mod history;
mod history_sums;
mod own_forwards;
mod port_table;
mod serve;
mod session_layout;
mod session_rows;
mod sessions;
mod short_size;
mod target_table;
mod target_totals;
mod targets;
mod view;
mod wide_session;

#[cfg(test)]
mod tests;

pub use columns::Columns;
pub(super) use session_rows::SessionRows;
pub(super) use sessions::{report_lost, write_end};
pub(super) use view::sink;
