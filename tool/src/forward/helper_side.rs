//! What a relay asks about the helper between it and the target.

use std::future::pending;
use std::io;

use super::dial::Helper;
use super::kernel_ends::KernelEnd;
use super::relay_end::TargetEnd;
use super::relayed::Relayed;

/// The helper of a connection, if there is one. Without a helper, the target's socket says
/// everything itself.
#[derive(Clone, Copy)]
pub(super) struct HelperSide<'a> {
    pub(super) helper: Option<&'a Helper>,
    /// The kernel's view of its end.
    pub(super) kernel: Option<&'a KernelEnd>,
}

impl HelperSide<'_> {
    /// Waits until the target has ended its direction and everything from it has arrived here. The
    /// helper itself passes that end on later.
    pub(super) async fn ended(&self, relayed: &Relayed) {
        match self.helper {
            Some(helper) => helper.server_ended(relayed).await,
            None => pending().await,
        }
    }

    /// How the target has ended, once the helper has closed its stdout and everything that it wrote
    /// is relayed.
    pub(super) async fn target_end(&self, has_client_ended: bool, relayed: &Relayed) -> TargetEnd {
        match self.helper {
            Some(helper) => helper.target_end(has_client_ended, relayed, self.kernel).await,
            None => TargetEnd::Complete,
        }
    }

    /// Waits until the target at the other end of the helper has vanished, and returns the error.
    pub(super) async fn vanished(&self) -> io::Error {
        match self.helper {
            Some(helper) => helper.server_vanished().await,
            None => pending().await,
        }
    }

    /// Waits until the helper has exited: the client's bytes lead nowhere then.
    pub(super) async fn exited(&self) {
        match self.helper {
            Some(helper) => helper.exited().await,
            None => pending().await,
        }
    }

    /// Watches the helper's connection. Never returns.
    pub(super) async fn watch_server<T>(&self) -> T {
        match self.helper {
            Some(helper) => helper.watch_server().await,
            None => pending().await,
        }
    }
}
