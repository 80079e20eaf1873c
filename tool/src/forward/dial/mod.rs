//! Roads into the target's network namespace.

mod native;
mod nsenter;
mod server_end;

use std::future::Future;
use std::net::IpAddr;
use std::pin::Pin;

pub use native::Native;
use nsenter::Helper;
pub use nsenter::{HelperMissing, Nsenter};

use super::stream::Duplex;
use super::{Failure, FarEnd};
use crate::resolve::Target;
use crate::trace::Via;

/// A road that connections can take.
pub trait Dialer: Send + Sync {
    /// What records call it.
    fn via(&self) -> Via;

    /// Connects to a port of the target.
    fn dial<'a>(&'a self, target: &'a Target, port: u16) -> Dialing<'a>;
}

/// A connection that is being made.
pub type Dialing<'a> = Pin<Box<dyn Future<Output = Result<Connection, Failure>> + Send + 'a>>;

/// A connection into the target.
pub struct Connection {
    /// Its two directions.
    pub(super) duplex: Duplex,
    /// Which of the target's addresses answered, when the road can tell.
    pub(super) address: Option<IpAddr>,
    /// The socket's `SO_COOKIE`, when it is ours.
    pub(super) cookie: Option<u64>,
    /// The process that carries it, when there is one.
    pub(super) helper: Option<Helper>,
}

impl Connection {
    /// What is known of its other end.
    pub(super) fn far_end(&self) -> FarEnd {
        let helper_pid = self.helper.as_ref().and_then(Helper::pid);
        FarEnd { address: self.address, helper_pid, cookie: self.cookie }
    }
}
