//! One JSON object per line. `docs/json.md` and `docs/records.schema.json` document the keys. New
//! keys may be added; existing ones stay.

mod closed;
mod exec;
mod finding;
mod ready;
mod session;
mod sink;
mod target;
mod value;

#[cfg(test)]
mod tests;

pub(super) use sink::JsonSink;
