//! The input and the output of each group of checks of the node.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use tokio::sync::Mutex;

use super::facts::distribution::Packages;
use super::facts::inspector::Inspector;
use super::facts::running::Daemons;
use crate::model::Finding;
use crate::runtime::Runtimes;

/// What the checks of the node need.
pub(super) struct Node {
    pub(super) runtimes: Runtimes,
    pub(super) idle: Duration,
    pub(super) packages: Packages,
    pub(super) daemons: Daemons,
    /// Looks at further processes.
    pub(super) inspector: Mutex<Inspector>,
}

/// The findings of a group, once its checks are done.
pub(super) type CheckFuture<'a> = Pin<Box<dyn Future<Output = Vec<Finding>> + 'a>>;
