//! `pfsnoop agent`: the monitor without a screen. Each update goes to several sinks.
//!
//! ```text
//! monitor -> Update -> Fanout -> log on stderr
//!                             -> store
//! ```

mod attached;
mod fanout;
mod log_sink;
mod rate_limit;
pub mod store;

pub use attached::keep_attached;
pub use fanout::Fanout;
pub use log_sink::LogSink;
