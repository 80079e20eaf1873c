//! Prints updates. Only this module formats. A format is one folder with a [`Sink`] and one match
//! arm in `sink.rs`.

mod escape;
mod json;
mod live;
mod names;
mod reason;
mod sink;
mod stderr;
mod terminal;
mod text;
mod width;

pub use escape::escaped;
pub use sink::{Format, Sink, TextOrJson, View, sink};
pub use stderr::complain;
pub use text::Columns;
