//! The sink that writes each update as a record.

use std::io::{self, Write};

use serde::Serialize;

use super::{exec, finding, ready, session, target};
use crate::model::Update;
use crate::output::sink::Sink;
use crate::output::stderr;

/// Writes one record per line.
pub(in crate::output) struct JsonSink<W> {
    out: W,
}

impl<W: Write> JsonSink<W> {
    pub(in crate::output) fn new(out: W) -> Self {
        Self { out }
    }

    fn line(&mut self, record: &impl Serialize) -> io::Result<()> {
        serde_json::to_writer(&mut self.out, record)?;
        self.out.write_all(b"\n")
    }
}

impl<W: Write> Sink for JsonSink<W> {
    fn update(&mut self, update: &Update) -> io::Result<()> {
        match update {
            Update::Ready(ready) => self.line(&ready::ready(ready)),
            Update::Listening(listening) => {
                // People who start a forward with `-o json` wait for this line too.
                stderr::report_listening(listening);
                self.line(&ready::listening(listening))
            }
            Update::Serving(serving) => {
                stderr::report_serving(serving);
                self.line(&ready::serving(serving))
            }
            Update::Exec(exec, owner) => self.line(&exec::exec(exec, owner)),
            Update::Exit(exit) => self.line(&exec::exit(exit)),
            Update::Session(session) => {
                stderr::report_failure(session);
                self.line(&session::session(session))
            }
            Update::Past(past) => self.line(&session::past_session(past)),
            Update::Lost(lost) => self.line(&ready::lost(*lost)),
            Update::Trouble(trouble) => {
                stderr::report_trouble(trouble);
                Ok(())
            }
            Update::Restarted(restart) => {
                stderr::report_restart(restart);
                Ok(())
            }
            Update::Finding(finding) => self.line(&finding::finding(finding)),
            Update::Target(target) => self.line(&target::target(target)),
            Update::Line(_) => Ok(()),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }

    fn end(&mut self, _open: usize) -> io::Result<()> {
        self.flush()
    }
}
