//! How a stream ends, as its client is to learn it.

use super::failure::Failure;
use super::kubelet_words::error_line;
use super::relay_end::{RelayEnd, RelayError};
use super::stream_target::StreamTarget;
use crate::model::{Outcome, Via};

/// How a stream ended, as its client is to learn it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StreamEnd {
    /// Both directions have ended by themselves, and everything has arrived.
    Complete,
    /// A side has reset the connection, or it was cut off: the client must not take a part of the data
    /// for all of it.
    Reset,
    /// There was no connection. The kubelet's error, for the error stream.
    Failed(String),
}

impl StreamEnd {
    /// The end of a stream that was dialed in this way.
    pub(super) fn of(result: &Result<RelayEnd, Failure>, to: &StreamTarget, via: Via) -> Self {
        match result {
            Ok(RelayEnd::Ended) => Self::Complete,
            Ok(RelayEnd::ResetAfterEnd | RelayEnd::GivenUp | RelayEnd::CutOff) => Self::Reset,
            Err(failure) if ends_established(failure) => Self::Reset,
            Err(failure) => Self::Failed(error_line(failure, to, via)),
        }
    }
}

/// Whether the connection may have carried data before it failed. A text on the error stream would end
/// kubectl's whole session, and the reset says the same.
fn ends_established(failure: &Failure) -> bool {
    match failure {
        Failure::Relay(RelayError::Client(_) | RelayError::Target(_))
        | Failure::Stopped
        | Failure::NotReaped(_) => true,
        Failure::HelperFailed { .. } => {
            matches!(failure.outcome(), Outcome::Reset | Outcome::Killed)
        }
        _ => false,
    }
}
