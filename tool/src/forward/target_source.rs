//! What a forward needs to know of its target, at the start and after each restart.

use std::sync::Arc;
use std::time::Duration;

use super::live_target::{Current, LiveTarget};
use crate::attribution::Attribution;
use crate::model::Destination;
use crate::runtime::Runtimes;
use crate::target::Target;

/// The target of a forward, and how to find it again.
pub struct TargetSource {
    target: Target,
    destination: Arc<Destination>,
    names: Names,
    wait_restart: Duration,
}

/// Where targets and the names of their owners come from.
pub(super) struct Names {
    runtimes: Runtimes,
    /// Records show the owner.
    are_wanted: bool,
}

impl TargetSource {
    /// A target that was found in these runtimes. Looks up its owner's names if they are wanted.
    /// Once its process has ended, a connection waits `wait_restart` for it to run again.
    pub async fn new(
        target: Target,
        runtimes: Runtimes,
        has_names: bool,
        wait_restart: Duration,
    ) -> Self {
        let names = Names { runtimes, are_wanted: has_names };
        let destination = Arc::new(names.destination(&target).await);
        Self { target, destination, names, wait_restart }
    }

    /// The target.
    #[must_use]
    pub fn target(&self) -> &Target {
        &self.target
    }

    /// Where connections to it lead.
    #[must_use]
    pub fn destination(&self) -> &Arc<Destination> {
        &self.destination
    }

    pub(super) fn into_live(self) -> (LiveTarget, Names) {
        let Self { target, destination, names, wait_restart } = self;
        let current = Current { target: Arc::new(target), destination };
        (LiveTarget::new(current, wait_restart), names)
    }
}

impl Names {
    pub(super) fn runtimes(&self) -> &Runtimes {
        &self.runtimes
    }

    /// Where connections to a target lead.
    pub(super) async fn destination(&self, target: &Target) -> Destination {
        let mut destination = target.destination();
        if self.are_wanted {
            Attribution::with_names(&self.runtimes).complete(&mut destination).await;
        }
        destination
    }
}
