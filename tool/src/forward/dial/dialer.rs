//! The interface of a dialer.

use std::future::Future;
use std::net::IpAddr;
use std::pin::Pin;

use super::helper::Helper;
use crate::forward::event::Upstream;
use crate::forward::failure::Failure;
use crate::forward::stream::Duplex;
use crate::model::Via;
use crate::target::Target;

/// A way to connect inside a target.
pub trait Dialer: Send + Sync {
    /// How it gets into a target, as records have it.
    fn via(&self, target: &Target) -> Via;

    /// The same for most targets.
    fn usual_via(&self) -> Via;

    /// Connects to a port of the target.
    fn dial<'a>(&'a self, target: &'a Target, port: u16) -> Dialing<'a>;
}

/// A connection that is being made.
pub type Dialing<'a> = Pin<Box<dyn Future<Output = Result<Connection, Failure>> + Send + 'a>>;

/// A connection into the target.
pub struct Connection {
    /// Its two directions.
    pub(in crate::forward) duplex: Duplex,
    /// The address of the target that answered, when the dialer knows it.
    pub(in crate::forward) address: Option<IpAddr>,
    /// The socket's `SO_COOKIE`, when the socket is ours.
    pub(in crate::forward) cookie: Option<u64>,
    /// The helper process that carries it, when there is one.
    pub(in crate::forward) helper: Option<Helper>,
}

impl Connection {
    /// What is known about its upstream.
    pub(in crate::forward) fn upstream(&self) -> Upstream {
        let helper_pid = self.helper.as_ref().and_then(Helper::pid);
        Upstream { address: self.address, helper_pid, helper_start_ns: None, cookie: self.cookie }
    }
}
