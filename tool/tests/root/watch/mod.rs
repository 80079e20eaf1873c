//! `pfsnoop watch`.

mod doctor;
mod endless_attempts;
mod first_process;
mod floods;
mod homes;
mod impostors;
mod live_view;
mod lost_records;
mod native;
mod nsenter;
mod nsenter_child;
mod other_traffic;
mod outcome_table;
mod outcomes;
mod real_runtimes;
mod rows;
