//! `pfsnoop exec`.

mod bounded_memory;
mod ending;
mod evicted_exec;
mod failed_execs;
mod false_losses;
mod filters;
mod lost_records;
mod many_ends;
mod patterns;
mod process_facts;
mod rows;
mod same_as_execsnoop;
mod time_namespaces;
mod time_zones;
mod unusual_execs;
mod verbose;
