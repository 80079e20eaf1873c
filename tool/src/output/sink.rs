//! The sinks: where a command sends its updates.

use std::io::{self, BufWriter, IsTerminal as _, stdout};

use clap::ValueEnum;

use super::{Columns, json, live, text};
use crate::model::Update;
use crate::sessions::OpenSession;

/// The values of `-o`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// execsnoop's columns
    #[default]
    Text,
    /// execsnoop's columns, and the user, the network namespace, the pod and the container
    Wide,
    /// One JSON object per line, with everything that is known
    Json,
}

/// The values of `-o` for a command with only one text format.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum TextOrJson {
    /// For people
    #[default]
    Text,
    /// One JSON object per line, with everything that is known
    Json,
}

impl From<TextOrJson> for Format {
    fn from(format: TextOrJson) -> Self {
        match format {
            TextOrJson::Text => Self::Text,
            TextOrJson::Json => Self::Json,
        }
    }
}

/// What a command shows. Text for people differs with it; JSON does not.
#[derive(Clone, Debug)]
pub enum View {
    /// Execs, in these columns.
    Execs(Columns),
    /// The sessions of the node.
    Sessions,
    /// The connections of a forward, in kubectl's words.
    Forward,
    /// The findings of the doctor.
    Findings,
    /// The targets that can be forwarded to.
    Targets,
}

/// Shows updates. Each sink shows the kinds of updates that it knows, and ignores the others.
///
/// An error means that writing to stdout failed.
pub trait Sink {
    /// Shows an update.
    fn update(&mut self, update: &Update) -> io::Result<()>;

    /// How many open sessions [`draw`](Self::draw) can show. 0 if the sink shows none.
    fn open_rows(&self) -> usize {
        0
    }

    /// Whether it is time to [`draw`](Self::draw) again. `now_ns` is `CLOCK_BOOTTIME`.
    fn is_draw_due(&self, _now_ns: u64) -> bool {
        false
    }

    /// Draws the open sessions. `open` holds the first of them, `count` is the number of all.
    fn draw(&mut self, _open: &[OpenSession], _count: usize, _now_ns: u64) -> io::Result<()> {
        Ok(())
    }

    /// Writes buffered output.
    fn flush(&mut self) -> io::Result<()>;

    /// Writes what comes at the end. `open` is the number of sessions that are still open.
    fn end(&mut self, open: usize) -> io::Result<()>;
}

/// The sink for a format and a view, on stdout.
#[must_use]
pub fn sink(format: impl Into<Format>, view: View) -> Box<dyn Sink> {
    let out = BufWriter::new(stdout());
    match (format.into(), view) {
        (Format::Json, _) => Box::new(json::JsonSink::new(out)),
        (Format::Text, View::Sessions) if stdout().is_terminal() => {
            Box::new(live::LiveSink::new(out))
        }
        (Format::Text, view) => text::sink(out, view),
        (Format::Wide, View::Execs(columns)) => text::sink(out, View::Execs(columns.wide())),
        (Format::Wide, view) => text::sink(out, view),
    }
}
