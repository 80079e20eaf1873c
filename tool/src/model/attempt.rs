//! An attempt to connect that failed.

use std::net::IpAddr;

use super::{Outcome, Reason};

/// An attempt to connect that failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// The socket's errno; `None` where the connecting side gave up.
    pub error: Option<i32>,
    /// How long it took, ns.
    pub after_ns: u64,
    /// The address that was dialed.
    pub to: IpAddr,
}

impl Attempt {
    /// The outcome of a session that ends with it.
    #[must_use]
    pub fn outcome(&self, port: u16) -> (Outcome, Reason) {
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
