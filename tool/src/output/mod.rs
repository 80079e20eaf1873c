//! Prints updates. Only this module formats. `format.rs` lists the formats. Each format is a folder
//! in `format/` with a [`Sink`].

mod escape;
mod format;
mod log;
mod log_lines;
mod names;
mod reason;
mod shell;
mod sink;
mod stderr;
mod stdout;
mod stdout_closed;
mod terminal;
mod view;
mod width;

pub use escape::escaped;
pub use format::{Columns, Format, HistoryFormat, TextOrJson, record_text, sink};
pub use log_lines::{lost_line, session_line};
pub use reason::reason;
pub use shell::{operand, quoted};
pub use sink::Sink;
pub use stderr::{Stderr, complain};
pub use stdout_closed::stdout_closed;
pub use view::View;
