//! Prints updates. Only this module formats. A format is one folder with a [`Sink`] and one match
//! arm in `format.rs`.

mod escape;
mod format;
mod json;
mod live;
mod names;
mod reason;
mod sink;
mod stderr;
mod terminal;
mod text;
mod view;
mod width;

pub use escape::escaped;
pub use format::{Format, TextOrJson, sink};
pub use sink::Sink;
pub use stderr::complain;
pub use text::Columns;
pub use view::View;
