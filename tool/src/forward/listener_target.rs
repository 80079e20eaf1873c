//! The one target of a forward's listeners.

use std::sync::Arc;

use tokio::net::TcpStream;

use super::allowed_users::AllowedUsers;
use super::dial::Connection;
use super::failure::Failure;
use super::live_target::{Current, LiveTarget};
use super::own_listeners::OwnListeners;
use super::shared::Shared;
use crate::model::{Destination, PortPair, Via};

/// The target of a forward's listeners, and who may use them.
pub(super) struct ListenerTarget {
    pub(super) live: LiveTarget,
    pub(super) own_listeners: OwnListeners,
    /// `None`: everybody may use the forward.
    pub(super) allowed_users: Option<AllowedUsers>,
}

impl ListenerTarget {
    /// Where a connection that is accepted now leads, as far as is known.
    pub(super) fn leads_to(&self, shared: &Shared) -> (Via, Arc<Destination>) {
        let Current { target, destination } = self.live.current();
        (shared.dialer.via(&target), destination)
    }

    /// Connects to the target, if the client may use the forward, unless that leads back to it. Waits for
    /// a target that restarts.
    pub(super) async fn dial(
        &self,
        client: &TcpStream,
        ports: PortPair,
        shared: &Shared,
    ) -> Result<(Connection, Arc<Destination>), Failure> {
        if let Some(allowed) = &self.allowed_users {
            allowed.check(client)?;
        }
        let Self { live, own_listeners, .. } = self;
        let mut wait = live.wait();
        loop {
            let current = tokio::select! {
                biased;
                current = wait.target(ports.remote) => current?,
                () = shared.draining.cancelled() => return Err(Failure::Stopped),
            };
            let target = &current.target;
            own_listeners.check(ports, target, shared.dialer.via(target))?;
            let result = tokio::select! {
                result = shared.dialer.dial(target, ports.remote) => result,
                () = live.ended(&current) => target.check().map_err(Failure::TargetGone).and(Err(Failure::Stopped)),
            };
            match result {
                // No byte of the client has been taken yet.
                Err(Failure::TargetGone(_)) if target.check().is_err() => {}
                result => return result.map(|connection| (connection, current.destination)),
            }
        }
    }
}
