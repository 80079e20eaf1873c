//! Everything that can be named as a target, and what is to be found there.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use super::Target;
use super::find::FindError;
use super::inventory::{Entry, Inventory};
use super::runtimes::Runtimes;
use super::source::{Kind, Listed, Source};
use crate::node::process::ProcessError;

/// What was found.
#[derive(Debug)]
pub struct Survey {
    /// Each pod with its containers behind it, by namespace and name; then what is in no pod.
    pub found: Vec<Found>,
    /// What was not answered: a line each.
    pub unanswered: Vec<String>,
}

/// A pod or a container.
#[derive(Clone, Debug)]
pub struct Found {
    /// As its runtime lists it.
    pub listed: Listed,
    /// Its runtime's name.
    pub runtime: &'static str,
    /// Its network; `None` while it does not run.
    pub network: Option<Network>,
}

/// What there is in a network namespace.
#[derive(Clone, Debug, Default)]
pub struct Network {
    /// Of the process whose namespace it is, when one is known.
    pub pid: Option<u32>,
    /// Inode of the namespace.
    pub netns: u64,
    /// Of its interfaces, without loopback's and link-local ones.
    pub addresses: Vec<IpAddr>,
    /// Where somebody listens for TCP.
    pub listeners: Vec<SocketAddr>,
}

impl Survey {
    /// Asks the runtimes and looks into each namespace; an error when no runtime answers.
    pub async fn make(runtimes: &Runtimes) -> Result<Self, FindError> {
        let inventory = Inventory::take(runtimes).await?;
        let mut survey = Self { found: Vec::new(), unanswered: inventory.unanswered() };
        // Runtimes that answered first and then no more: each call would be waited for.
        let mut silent: Vec<Arc<dyn Source>> = Vec::new();
        for entry in inventory.entries {
            let network = if silent.iter().any(|source| Arc::ptr_eq(source, &entry.source)) {
                None
            } else {
                look_into(&entry).await.unwrap_or_else(|error| {
                    if matches!(error, FindError::NoAnswer { .. }) {
                        silent.push(Arc::clone(&entry.source));
                    }
                    survey.unanswered.push(error.to_string());
                    None
                })
            };
            let Entry { source, listed } = entry;
            survey.found.push(Found { listed, runtime: source.name(), network });
        }
        survey.found.sort_by_cached_key(Found::order);
        Ok(survey)
    }
}

/// `None` when it does not run, or has just ended.
async fn look_into(entry: &Entry) -> Result<Option<Network>, FindError> {
    if !entry.listed.is_running {
        return Ok(None);
    }
    let target = match Target::of_entry(entry).await {
        Ok(target) => target,
        Err(
            FindError::PodNotRunning(_)
            | FindError::ContainerNotRunning { .. }
            | FindError::Process(ProcessError::NotFound(_) | ProcessError::Gone(_)),
        ) => return Ok(None),
        Err(error) => return Err(error),
    };
    let netns = target.netns();
    let unreadable = |why: std::io::Error| entry.no_answer(why.to_string());
    Ok(Some(Network {
        pid: target.pid(),
        netns: netns.inode(),
        addresses: netns.addresses().await.map_err(unreadable)?,
        listeners: netns.listeners().await.map_err(unreadable)?,
    }))
}

impl Found {
    /// The pod's name, or the container's; where neither is known, the id.
    #[must_use]
    pub fn name(&self) -> &str {
        let Listed { kind, id, name, pod, .. } = &self.listed;
        let pod = pod.as_ref().filter(|_| *kind == Kind::Sandbox).map(|pod| pod.name.as_str());
        pod.or(name.as_deref()).unwrap_or(id)
    }

    /// Each pod with its containers below it, then what is in no pod.
    fn order(&self) -> impl Ord + use<> {
        let Listed { kind, id, name, pod, .. } = self.listed.clone();
        let pod = pod.map(|pod| (pod.namespace, pod.name, self.runtime, pod.uid));
        (pod.is_none(), pod, kind == Kind::Container, name, id)
    }
}
