//! One JSON object per line. `docs/json.md` and `docs/records.schema.json` document the keys. From
//! the first release (0.1.0) on, keys are only added.

mod closed;
mod exec;
mod finding;
mod ready;
mod session;
mod sink;
mod target;
mod text;
mod value;

#[cfg(test)]
mod tests;

pub(super) use sink::JsonSink;
pub use text::text;
