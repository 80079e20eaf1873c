//! The command line: one file per command.

mod age;
mod agent;
mod command;
mod demo;
mod doctor;
mod exec;
mod forward;
mod forwarder;
mod history;
mod moment;
mod name_pattern;
mod parse;
mod runtimes;
mod serve;
mod size;
mod targets;
mod values;
mod watch;

pub use age::Age;
pub use agent::Agent;
pub use command::{Cli, Command};
pub use demo::{Demo, DemoWeb};
pub use doctor::Doctor;
pub use exec::Exec;
pub use forward::Forward;
pub use forwarder::{DialerChoice, ForwarderOptions};
pub use history::History;
pub use parse::{Stop, parse};
pub use runtimes::AskRuntimes;
pub use serve::Serve;
pub use targets::Targets;
pub use watch::Watch;
