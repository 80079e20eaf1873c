//! One file per command: a choice of sources, a filter and sinks.

mod demo;
mod dispatch;
mod doctor;
mod exec;
mod forward;
mod logging;
mod not_found;
mod targets;
mod watch;

pub use dispatch::run;
