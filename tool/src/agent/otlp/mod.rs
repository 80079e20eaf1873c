//! OpenTelemetry: a session that ended is a span, and one that failed is a log record too.
//!
//! ```text
//! Update -> OtlpSink -> span, log record (encoded) -> Queue -> Exporter -> gRPC or HTTP -> collector
//! ```
//!
//! The messages are our own (`messages`), and not those of the SDK: the SDK keeps each span as a tree of
//! objects, has no bound in bytes, and neither counts what a collector rejects nor returns it.

mod attributes;
mod backoff;
mod batch;
mod client;
mod exporter;
mod log_record;
mod messages;
mod metrics;
mod open_sessions;
mod options;
mod queue;
mod resource;
mod signal;
mod sink;
mod span;
mod variables;

pub use client::ClientError;
pub use exporter::Exporter;
pub use metrics::OtlpMetrics;
pub use options::{OtlpOptions, SignalOptions};
pub use resource::Resource;
pub use signal::{Protocol, Signal};
pub use sink::OtlpSink;
pub use variables::VariableError;
