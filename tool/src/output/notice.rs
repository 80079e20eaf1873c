//! The forwarder's notices, in kubectl's words.

use super::escape::escaped;
use crate::forward::{Listener, Notice};

/// What stands above everything else: one line a listener.
#[must_use]
pub fn forwarding(listener: &Listener) -> String {
    format!("Forwarding from {} -> {}", listener.address(), listener.pair().remote)
}

/// A notice as a line: `Ok` is data, `Err` is for stderr.
pub fn notice(notice: &Notice) -> Result<String, String> {
    match notice {
        Notice::Handling(pair) => Ok(format!("Handling connection for {}", pair.local)),
        Notice::Failed(pair, failure) => {
            // What a helper said is in there.
            let failure = escaped(chain(failure).as_bytes());
            Err(format!("an error occurred forwarding {pair}: {failure}"))
        }
        Notice::NotAccepted(address, error) => {
            Err(format!("cannot accept a connection on {address}: {error}; trying again"))
        }
    }
}

/// An error and what caused it, as `{:#}` shows anyhow's.
fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
