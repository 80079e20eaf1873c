//! An attempt to connect that failed.

use std::net::IpAddr;

use crate::model::{Outcome, Reason};

/// An attempt to connect that failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Attempt {
    /// The socket's errno; `None` where the connecting side gave up.
    pub(super) error: Option<i32>,
    /// How long it took, ns.
    pub(super) after_ns: u64,
    /// The address that was dialed.
    pub(super) to: IpAddr,
}

impl Attempt {
    /// The outcome of a session that ends with it.
    pub(super) fn outcome(&self, port: u16) -> (Outcome, Reason) {
        let Self { error, after_ns, to: address } = *self;
        match error {
            Some(libc::ECONNREFUSED) => {
                (Outcome::Refused, Reason::NothingListens { address, port })
            }
            Some(libc::EHOSTUNREACH | libc::ENETUNREACH) => (Outcome::Unreachable, Reason::NoRoute),
            None | Some(libc::ETIMEDOUT) => (Outcome::Timeout, Reason::NoAnswer { after_ns }),
            Some(errno) => (Outcome::Failed, Reason::Errno(errno)),
        }
    }
}
