//! `pfsnoop exec`.

mod ending;
mod evicted_exec;
mod filters;
mod lost_records;
mod process_facts;
mod rows;
mod same_as_execsnoop;
mod unusual_execs;
