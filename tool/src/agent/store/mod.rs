//! The store: sessions in an SQLite file on the node.
//!
//! ```text
//! Update -> StoreSink -> Queue (bounded, in bytes) -> Writer (a thread) -> file
//! file -> History -> PastSession -> Update -> the sinks of `history`; findings of the doctor
//! ```

mod batch;
mod cells;
mod codes;
mod counters;
mod database;
mod error;
mod history;
mod lock;
mod open_store;
mod options;
mod outage;
mod past_row;
mod paths;
mod position;
mod query;
mod queue;
mod record;
mod retention;
mod run;
mod schema;
mod session_row;
mod sink;
mod targets;
#[cfg(test)]
mod tests;
mod texts;
mod writer;

pub use counters::StoreCounters;
pub use error::StoreError;
pub use history::History;
pub use options::StoreOptions;
pub use paths::DEFAULT_STORE;
pub use retention::Keep;
pub use sink::StoreSink;
