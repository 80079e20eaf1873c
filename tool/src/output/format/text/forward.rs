//! The view of a forward: its connections in kubectl's words, and the execs of its helpers.

use std::io::{self, Write};

use super::own_forwards::{OwnForwards, end_in_words};
use super::port_table::port_table;
use crate::model::{Closed, PortPair, PortSums, Session, State, Update};
use crate::output::sink::Sink;
use crate::output::stderr;

/// Writes lines, and a table of sums at the end.
pub(super) struct ForwardSink<W> {
    out: W,
    common: OwnForwards,
    sums: PortSums,
}

impl<W: Write> ForwardSink<W> {
    pub(super) fn new(out: W) -> Self {
        Self { out, common: OwnForwards::default(), sums: PortSums::default() }
    }

    fn session(&mut self, session: &Session, ports: PortPair) -> io::Result<()> {
        match &session.state {
            State::Started => {
                self.sums.start(ports);
                writeln!(self.out, "Handling connection for {}", ports.local)
            }
            // The line of the closed connection reports the result.
            State::Connected | State::Lost => Ok(()),
            State::Closed(closed) => {
                self.sums.add(ports, closed);
                stderr::report_failure(session);
                writeln!(self.out, "{}", closed_line(ports, session, closed))
            }
        }
    }
}

impl<W: Write> Sink for ForwardSink<W> {
    fn update(&mut self, update: &Update) -> io::Result<()> {
        match update {
            Update::Listening(listening) => {
                let (address, port) = (listening.address, listening.target_port);
                writeln!(self.out, "Forwarding from {address} -> {port}")
            }
            Update::Session(session) => match session.ports {
                Some(ports) => self.session(session, ports),
                None => Ok(()),
            },
            update => self.common.update(&mut self.out, update),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }

    fn end(&mut self, _open: usize) -> io::Result<()> {
        if let Some(table) = port_table(&self.sums) {
            writeln!(self.out, "\n{table}")?;
        }
        self.flush()
    }
}

fn closed_line(ports: PortPair, session: &Session, closed: &Closed) -> String {
    let at = session.address.map_or_else(String::new, |address| format!(" at {address}"));
    format!("Closed connection for {}{at}: {}", ports.local, end_in_words(closed))
}
