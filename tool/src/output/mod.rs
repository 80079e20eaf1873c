//! How things are shown. The only module that formats; it knows the data of the others, never
//! their workings.

mod doctor;
mod escape;
mod footer;
mod json;
mod notice;
mod open;
mod places;
mod reason;
mod session;
mod sessions;
mod summary;
mod table;
mod terminal;
mod text;

use std::io::{self, Write};

use clap::ValueEnum;

pub use doctor::{finding, finding_json};
pub use escape::escaped;
pub use json::target as target_json;
pub use notice::{Lines, forwarding, told};
pub use open::Live;
pub use places::places;
pub use sessions::{SessionRows, target_name};
pub use summary::summary;
pub use table::targets as targets_table;
pub use terminal::terminal_width;
pub use text::Columns;

use crate::trace::{ExecEvent, ExitEvent, Lost, Owner, Session};

/// Says something on stderr. A stderr that is closed or full is no reason to end.
pub fn complain(what: &str) {
    let _ = writeln!(io::stderr(), "pfsnoop: {what}");
}

/// What `-o` takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// execsnoop's columns
    #[default]
    Text,
    /// execsnoop's columns, and the user, the network namespace, the pod and the container
    Wide,
    /// One JSON object a line, with everything that is known
    Json,
}

/// What `-o` takes where there is one text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum TextOrJson {
    /// For eyes
    #[default]
    Text,
    /// One JSON object a line, with everything that is known
    Json,
}

/// A session record, as a line of JSON.
pub fn session(out: &mut impl Write, session: &Session) -> io::Result<()> {
    json::line(out, &session::json(session))
}

/// A record of what was lost, as a line of JSON.
pub fn lost_record(out: &mut impl Write, lost: Lost) -> io::Result<()> {
    json::line(out, &json::lost(lost))
}

/// Writes exec events as rows, in one format.
pub struct Rows<W> {
    out: W,
    shape: Shape,
}

enum Shape {
    Text(Columns),
    Json,
}

impl<W: Write> Rows<W> {
    /// Rows of that format; `columns` matter to text alone.
    pub fn new(out: W, format: Format, columns: Columns) -> Self {
        let shape = match format {
            Format::Text => Shape::Text(columns),
            Format::Wide => Shape::Text(Columns { wide: true, uid: true, ..columns }),
            Format::Json => Shape::Json,
        };
        Self { out, shape }
    }

    /// What stands above the rows.
    pub fn header(&mut self) -> io::Result<()> {
        match &self.shape {
            Shape::Text(columns) => writeln!(self.out, "{}", columns.header())?,
            Shape::Json => {}
        }
        self.out.flush()
    }

    /// One exec, and whose it is.
    pub fn exec(&mut self, exec: &ExecEvent, owner: &Owner) -> io::Result<()> {
        match &self.shape {
            Shape::Text(columns) => writeln!(self.out, "{}", columns.row(exec, owner)),
            Shape::Json => json::line(&mut self.out, &json::exec(exec, owner)),
        }
    }

    /// The end of a process.
    pub fn exit(&mut self, exit: &ExitEvent) -> io::Result<()> {
        match &self.shape {
            Shape::Text(columns) => writeln!(self.out, "{}", columns.exit_row(exit)),
            Shape::Json => json::line(&mut self.out, &json::exit(exit)),
        }
    }

    /// Records that were lost: a record of their own in JSON, in text a line on stderr.
    pub fn lost(&mut self, lost: Lost) -> io::Result<()> {
        match &self.shape {
            Shape::Text(_) => {
                let Lost { events, total } = lost;
                complain(&format!("{events} records were lost, {total} since the start"));
                Ok(())
            }
            Shape::Json => lost_record(&mut self.out, lost),
        }
    }

    /// The loss in all, at the end. JSON has told it already: in the last record's `total`.
    pub fn lost_in_all(&mut self, total: u64) -> io::Result<()> {
        if total > 0 && matches!(self.shape, Shape::Text(_)) {
            complain(&format!("in all, {total} records were lost"));
        }
        Ok(())
    }

    /// Everything that was written goes out now.
    pub fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}
