//! `pfsnoop watch`.

mod live_view;
mod lost_records;
pub mod native;
pub mod nsenter;
mod nsenter_child;
mod other_traffic;
mod rows;
