//! One JSON object per line. `docs/json.md` and `docs/records.schema.json` document the keys, which
//! are only ever added to.

mod exec;
mod finding;
mod ready;
mod session;
mod sink;
mod target;
mod value;

pub(super) use sink::JsonSink;
