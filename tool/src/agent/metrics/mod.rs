//! Metrics for Prometheus: a sink that counts, and an HTTP endpoint that serves the counts.
//!
//! ```text
//! Update -> MetricsSink -> SessionMetrics (Registry) <- Exposition <- MetricsEndpoint <- scrape
//!            runtimes, this process, store, OTLP -^
//! ```

mod accept;
mod collectors;
mod endpoint;
mod exposition;
mod label;
mod route;
mod runtime_checks;
mod series;
mod session_metrics;
mod sink;
mod store_metrics;

pub use collectors::register_process;
pub use endpoint::{ListenError, MetricsEndpoint};
pub use runtime_checks::RuntimeChecks;
pub use session_metrics::SessionMetrics;
pub use sink::MetricsSink;
pub use store_metrics::register_store;
