//! The forwarder's notices, in kubectl's words.

use super::escape::escaped;
use super::session::outcome;
use crate::forward::{Failure, Listener, Notice, Report};

/// What stands above everything else: one line a listener.
#[must_use]
pub fn forwarding(listener: &Listener) -> String {
    format!("Forwarding from {} -> {}", listener.address(), listener.pair().remote)
}

/// A notice as lines: data on stdout, the rest on stderr.
pub fn notice(notice: &Notice) -> Lines {
    match notice {
        Notice::Handling(begun) => {
            Lines::out(format!("Handling connection for {}", begun.pair.local))
        }
        // The line at its end says what came of it.
        Notice::Connected(_) => Lines::default(),
        Notice::Closed(report) => closed(report),
        Notice::TooMany(pair, max) => Lines::err(format!(
            "turned a connection for {} away: {max} are open, which is --max-connections",
            pair.local
        )),
        Notice::NotAccepted(address, error) => {
            Lines::err(format!("cannot accept a connection on {address}: {error}; trying again"))
        }
    }
}

/// What to print where.
#[derive(Debug, Default)]
pub struct Lines {
    /// For stdout.
    pub out: Option<String>,
    /// For stderr.
    pub err: Option<String>,
}

impl Lines {
    fn out(line: String) -> Self {
        Self { out: Some(line), err: None }
    }

    fn err(line: String) -> Self {
        Self { out: None, err: Some(line) }
    }
}

fn closed(report: &Report) -> Lines {
    let Report { begun, bytes_to_pod, bytes_from_pod, duration, end, .. } = report;
    let pair = begun.pair;
    let address = report.far_end.address;
    let by = address.map_or_else(String::new, |address| format!(" at {address}"));
    let out = format!(
        "Closed connection for {}{by}: {bytes_to_pod} bytes to the pod, {bytes_from_pod} from it, \
         {:.3} s, {}",
        pair.local,
        duration.as_secs_f64(),
        outcome(report.outcome()),
    );
    let err = match end {
        // Whoever ended the forward need not be told.
        Ok(()) | Err(Failure::Stopped) => None,
        Err(failure) => {
            // What a helper said is in there.
            let failure = escaped(chain(failure).as_bytes());
            Some(format!("an error occurred forwarding {pair}: {failure}"))
        }
    };
    Lines { out: Some(out), err }
}

/// An error and what caused it, as `{:#}` shows anyhow's.
fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
