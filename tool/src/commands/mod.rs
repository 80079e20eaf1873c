//! One file per command: connects sources, a filter and a sink.

mod agent;
mod agent_parts;
mod demo;
mod dialer;
mod dispatch;
mod doctor;
mod exec;
mod forward;
mod forwarder;
mod history;
mod ignored;
mod logging;
mod not_found;
mod serve;
mod targets;
mod unknown_owner;
mod watch;

pub use dispatch::run;
