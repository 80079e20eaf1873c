//! The view of an endpoint: its connections with their clients, and the execs of its helpers.

use std::io::{self, Write};

use super::own_forwards::{OwnForwards, end_in_words};
use super::target_totals::target_totals;
use crate::model::{Client, Closed, Serving, Session, SessionSums, State, Update};
use crate::output::escape::escaped;
use crate::output::names::{client_name, port_of_target, target_name};
use crate::output::shell::quoted;
use crate::output::sink::Sink;
use crate::output::stderr;
use crate::output::terminal::terminal_width;

/// Writes lines, and a table of sums at the end.
pub(super) struct ServeSink<W> {
    out: W,
    common: OwnForwards,
    sums: SessionSums,
}

impl<W: Write> ServeSink<W> {
    pub(super) fn new(out: W) -> Self {
        Self { out, common: OwnForwards::default(), sums: SessionSums::default() }
    }

    fn serving(&mut self, serving: &Serving) -> io::Result<()> {
        let kubeconfig = escaped(quoted(&serving.kubeconfig.to_string_lossy()).as_bytes());
        writeln!(self.out, "{}", first_line(serving))?;
        writeln!(self.out, "  export KUBECONFIG={kubeconfig}")?;
        writeln!(self.out, "  kubectl get pods -A")?;
        writeln!(self.out, "  kubectl port-forward -n NAMESPACE pod/NAME PORT")
    }

    fn session(&mut self, session: &Session, client: &Client) -> io::Result<()> {
        match &session.state {
            State::Started => writeln!(self.out, "{}", opening_line(session, client)),
            // The line of the closed connection reports the result.
            State::Connected | State::Lost => Ok(()),
            State::Closed(closed) => {
                self.sums.add(session, target_name(&session.target));
                stderr::report_failure(session);
                writeln!(self.out, "{}", closed_line(session, client, closed))
            }
        }
    }
}

impl<W: Write> Sink for ServeSink<W> {
    fn update(&mut self, update: &Update) -> io::Result<()> {
        match update {
            Update::Serving(serving) => self.serving(serving),
            Update::Session(session) => match &session.client {
                Some(client) => self.session(session, client),
                None => Ok(()),
            },
            update => self.common.update(&mut self.out, update),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }

    fn end(&mut self, _open: usize) -> io::Result<()> {
        if let Some(table) = target_totals(&self.sums, terminal_width()) {
            writeln!(self.out, "\n{table}")?;
        }
        self.flush()
    }
}

/// `Serving 14 pods and 3 containers of containerd and docker at https://127.0.0.1:6443`
fn first_line(serving: &Serving) -> String {
    let Serving { address, pods, containers, runtimes, .. } = serving;
    let count = |count: usize, one: &str| match count {
        1 => format!("1 {one}"),
        count => format!("{count} {one}s"),
    };
    let pods = count(*pods, "pod");
    let what = match containers {
        0 => pods,
        containers => format!("{pods} and {}", count(*containers, "container")),
    };
    let of =
        if runtimes.is_empty() { String::new() } else { format!(" of {}", in_words(runtimes)) };
    format!("Serving {what}{of} at https://{address}")
}

/// `a, b and c`
fn in_words(names: &[&str]) -> String {
    match names {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

fn opening_line(session: &Session, client: &Client) -> String {
    let (to, from, by) = (port_of_target(session), client_name(client), client.transport.name());
    format!("Handling connection for {to}, from {from} by {by}")
}

fn closed_line(session: &Session, client: &Client, closed: &Closed) -> String {
    let at = session.address.map_or_else(String::new, |address| format!(" at {address}"));
    let (to, from) = (port_of_target(session), client_name(client));
    format!("Closed connection for {to}{at}, from {from}: {}", end_in_words(closed))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::model::{Destination, Outcome, Owner, Pod, Transport};

    #[test]
    fn a_connection_has_a_line_at_its_start_and_one_at_its_end() {
        let client = Client {
            address: "127.0.0.1:51234".parse().unwrap(),
            user_agent: "kubectl/v1.32.3 (linux/amd64) kubernetes/32cc146".to_owned(),
            transport: Transport::SpdyOverWebSocket,
        };
        let pod = Pod { namespace: "shop".into(), name: "kuard".into(), uid: "u".into() };
        let owner = Owner { pod: Some(pod), ..Owner::default() };
        let mut session = Session {
            client: Some(Arc::new(client)),
            target: Destination { owner, ..Destination::default() },
            address: Some("::1".parse().unwrap()),
            ..Session::example(Closed {
                bytes_to_pod: Some(83),
                bytes_from_pod: Some(1853),
                duration_ns: Some(12_300_000),
                ..Closed::example(Outcome::Ok)
            })
        };
        let mut sink = ServeSink::new(Vec::new());
        let end = Update::Session(Box::new(session.clone()));
        session.state = State::Started;
        sink.update(&Update::Session(Box::new(session.clone()))).unwrap();
        sink.update(&end).unwrap();
        // What another forwarder does is not the endpoint's.
        sink.update(&Update::Session(Box::new(Session { client: None, ..session }))).unwrap();
        let expected = "\
Handling connection for port 8080 of shop/kuard, from kubectl/v1.32.3 at 127.0.0.1:51234 by spdy+websocket
Closed connection for port 8080 of shop/kuard at ::1, from kubectl/v1.32.3 at 127.0.0.1:51234: \
83 bytes to the pod, 1853 from it, 0.012 s, ok
";
        assert_eq!(String::from_utf8(sink.out.clone()).unwrap(), expected);
        sink.end(0).unwrap();
        let table = String::from_utf8(sink.out).unwrap();
        assert!(table.contains("TARGET") && table.contains("shop/kuard"), "{table}");
    }
}
