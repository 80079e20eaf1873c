//! The pod of a client, looked up when it is first needed, and again once it has ended.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::attribution::Attribution;
use crate::forward::{MissingTarget, StreamTarget};
use crate::model::{Client, Destination, Owner, Pod};
use crate::runtime::{IndexEntry, Runtimes};
use crate::target::{FindError, Target};

/// The pod that a client forwards to.
pub(super) struct PodTarget {
    entry: IndexEntry,
    pod: Pod,
    runtimes: Runtimes,
    client: Arc<Client>,
    found: Option<(Arc<Target>, Arc<Destination>)>,
}

impl PodTarget {
    pub(super) fn new(
        entry: IndexEntry,
        pod: Pod,
        runtimes: Runtimes,
        client: Arc<Client>,
    ) -> Self {
        Self { entry, pod, runtimes, client, found: None }
    }

    /// Where a connection to this port of the pod leads now.
    pub(super) async fn now(&mut self, port: u16) -> Result<StreamTarget, MissingTarget> {
        let started = Instant::now();
        let (target, destination) = match &self.found {
            Some((target, destination)) if target.check().is_ok() => {
                (Arc::clone(target), Arc::clone(destination))
            }
            _ => {
                let found = Target::of_entry(&self.entry).await;
                let target = found.map_err(|error| self.missing(port, started.elapsed(), error))?;
                let destination = self.destination(&target).await;
                let (target, destination) = (Arc::new(target), Arc::new(destination));
                self.found = Some((Arc::clone(&target), Arc::clone(&destination)));
                (target, destination)
            }
        };
        let (id, client) = (self.entry.info.id.as_str().into(), Arc::clone(&self.client));
        Ok(StreamTarget { target, destination, id, port, client })
    }

    fn missing(&self, port: u16, duration: Duration, error: FindError) -> MissingTarget {
        let owner = Owner { pod: Some(self.pod.clone()), ..Owner::default() };
        let destination = Destination { owner, ..Destination::default() };
        let (id, client) = (self.entry.info.id.as_str().into(), Arc::clone(&self.client));
        MissingTarget { destination, id, port, client, duration, error }
    }

    /// The target with the names of its owner.
    async fn destination(&self, target: &Target) -> Destination {
        let mut destination = target.destination();
        Attribution::with_names(&self.runtimes).complete(&mut destination).await;
        let owner = &mut destination.owner;
        if owner.pod.is_none() && owner.container.is_none() {
            owner.pod = Some(self.pod.clone());
        }
        destination
    }
}
