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

use super::Failure;
use super::stream::Duplex;
use crate::resolve::Target;

/// A road that connections can take.
pub trait Dialer: Send + Sync {
    /// How records and people call it.
    fn via(&self) -> &'static str;

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
    /// The process that carries it, when there is one.
    pub(super) helper: Option<Helper>,
}
