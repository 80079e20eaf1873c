//! `pfsnoop agent`: the monitor without a screen. Each update goes to several sinks.
//!
//! ```text
//! monitor -> Update -> Fanout -> log on stderr
//!                             -> store
//!                             -> metrics (counts)         -> thread "telemetry": HTTP for Prometheus
//!                             -> otlp (spans in a queue)  -> the same thread: exporters
//! ```

mod attached;
mod fanout;
mod health;
mod log_sink;
pub mod metrics;
pub mod otlp;
mod rate_limit;
pub mod store;
mod telemetry;

pub use attached::keep_attached;
pub use fanout::Fanout;
pub use health::{Health, HealthSink};
pub use log_sink::LogSink;
pub use telemetry::Telemetry;
