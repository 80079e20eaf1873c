//! What a command shows its updates through.

use std::io::{self, BufWriter, IsTerminal as _, stdout};

use clap::ValueEnum;

use super::{Columns, json, live, text};
use crate::model::Update;
use crate::sessions::OpenSession;

/// What `-o` takes.
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

/// What `-o` takes where there is only one kind of text.
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

/// What a command shows, where formats for people differ.
#[derive(Clone, Debug)]
pub enum View {
    /// Execs, in these columns.
    Execs(Columns),
    /// The sessions of the node.
    Sessions,
    /// The connections of a forward, in kubectl's words.
    Forward,
    /// The doctor's findings.
    Findings,
    /// What can be forwarded to.
    Targets,
}

/// Where updates go. Each sink shows the updates that it knows and passes over the others.
///
/// An error means that stdout cannot be written to.
pub trait Sink {
    /// Shows an update.
    fn update(&mut self, update: &Update) -> io::Result<()>;

    /// How many open sessions it shows; 0 if it shows none.
    fn open_rows(&self) -> usize {
        0
    }

    /// Whether it is time to [`draw`](Self::draw) again. `now_ns` is `CLOCK_BOOTTIME`.
    fn is_draw_due(&self, _now_ns: u64) -> bool {
        false
    }

    /// Draws the open sessions; `count` is how many there are in all.
    fn draw(&mut self, _open: &[OpenSession], _count: usize, _now_ns: u64) -> io::Result<()> {
        Ok(())
    }

    /// Sends out everything that was shown.
    fn flush(&mut self) -> io::Result<()>;

    /// Ends the output; so many sessions are still open.
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
