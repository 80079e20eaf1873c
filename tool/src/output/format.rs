//! The formats of `-o`. Each is one folder in `format/`, and here its `mod` line, its value of `-o`
//! and its match arm. (`live` has no value: it replaces `text` for sessions on a terminal.)

mod json;
mod live;
mod text;

use std::io::{BufWriter, IsTerminal as _, Write, stdout};

use clap::ValueEnum;

pub use json::text as record_text;
pub use text::Columns;

use super::log::Log;
use super::{Sink, View};

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

/// The values of `-o` for stored sessions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum HistoryFormat {
    /// The rows of `watch`, with their date
    #[default]
    Text,
    /// The same, and the pids, the container and the address
    Wide,
    /// The records of `watch`: one JSON object per line, with everything that is known
    Json,
}

impl From<HistoryFormat> for Format {
    fn from(format: HistoryFormat) -> Self {
        match format {
            HistoryFormat::Text => Self::Text,
            HistoryFormat::Wide => Self::Wide,
            HistoryFormat::Json => Self::Json,
        }
    }
}

/// The sink for a format and a view, on stdout.
#[must_use]
pub fn sink(format: impl Into<Format>, view: View) -> Box<dyn Sink> {
    match view {
        // These commands run on, and have more to do than to print: a forward has connections.
        View::Execs(_)
        | View::Sessions
        | View::History { is_endless: true, .. }
        | View::Forward
        | View::Serve => sink_to(Log::new(stdout()), format.into(), view),
        // Without its output, such a command has failed.
        View::History { .. } | View::HistorySums | View::Findings | View::Targets => {
            sink_to(BufWriter::new(stdout()), format.into(), view)
        }
    }
}

fn sink_to(out: impl Write + 'static, format: Format, view: View) -> Box<dyn Sink> {
    match (format, view) {
        (Format::Json, _) => Box::new(json::JsonSink::new(out)),
        (Format::Text, View::Sessions) if stdout().is_terminal() => {
            Box::new(live::LiveSink::new(out))
        }
        (Format::Wide, View::Execs(columns)) => text::sink(out, View::Execs(columns.wide())),
        (Format::Wide, View::History { is_endless, .. }) => {
            text::sink(out, View::History { is_endless, is_wide: true })
        }
        (Format::Text | Format::Wide, view) => text::sink(out, view),
    }
}
