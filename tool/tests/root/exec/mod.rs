//! `pfsnoop exec`.

mod ending;
mod evicted_exec;
mod filters;
mod lost_records;
mod process_facts;
pub mod rows;
mod same_as_execsnoop;
pub mod unusual_execs;
