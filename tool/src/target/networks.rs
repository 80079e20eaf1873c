//! The networks of sandboxes and containers, looked up within a limit of time.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::time::timeout;

use super::error::FindError;
use super::target::Target;
use crate::host::process::ProcessError;
use crate::model::TargetNetwork;
use crate::runtime::{IndexEntry, RuntimeClient};

/// How long the lookup of one network may take.
const NETWORK_TIMEOUT: Duration = Duration::from_secs(1);

/// How long the lookups of all networks together may take.
const NETWORKS_TIMEOUT: Duration = Duration::from_secs(10);

/// Looks up the networks of a list, one after the other.
pub struct NetworkLookup {
    deadline: Instant,
    /// How many running ones came too late.
    late: usize,
    /// Runtimes that answered at first and then hung: each further call would time out.
    silent: Vec<Arc<dyn RuntimeClient>>,
    unanswered: Vec<String>,
}

impl NetworkLookup {
    /// Starts the clock.
    #[must_use]
    pub fn start() -> Self {
        let deadline = Instant::now() + NETWORKS_TIMEOUT;
        Self { deadline, late: 0, silent: Vec::new(), unanswered: Vec::new() }
    }

    /// The network of an entry; `None` when it does not run, or is not found in time.
    pub async fn of(&mut self, entry: &IndexEntry) -> Option<TargetNetwork> {
        let is_late = entry.info.is_running && Instant::now() >= self.deadline;
        self.late += usize::from(is_late);
        let is_silent = self.silent.iter().any(|client| Arc::ptr_eq(client, &entry.client));
        if is_late || is_silent {
            return None;
        }
        let found = timeout(NETWORK_TIMEOUT, network_of(entry)).await;
        found.unwrap_or_else(|_| Err(too_slow(entry))).unwrap_or_else(|error| {
            if matches!(error, FindError::NoAnswer { .. }) {
                self.silent.push(Arc::clone(&entry.client));
            }
            self.unanswered.push(format!("{:#}", anyhow::Error::from(error)));
            None
        })
    }

    /// A line for each question that was not answered.
    #[must_use]
    pub fn unanswered(self) -> Vec<String> {
        let Self { late, mut unanswered, .. } = self;
        if late > 0 {
            let seconds = NETWORKS_TIMEOUT.as_secs();
            unanswered.push(format!("after {seconds} s, {late} that run were not looked up"));
        }
        unanswered
    }
}

fn too_slow(entry: &IndexEntry) -> FindError {
    FindError::no_answer(entry, format!("no answer in {} s", NETWORK_TIMEOUT.as_secs()))
}

/// The network of an entry; `None` when the entry does not run, or has just ended.
async fn network_of(entry: &IndexEntry) -> Result<Option<TargetNetwork>, FindError> {
    if !entry.info.is_running {
        return Ok(None);
    }
    let target = match Target::of_entry(entry).await {
        Ok(target) => target,
        Err(
            // Its containers are listed with their networks.
            FindError::NoCommonNetwork { .. }
            | FindError::PodNotRunning { .. }
            | FindError::ContainerNotRunning { .. }
            | FindError::Process(ProcessError::NotFound(_) | ProcessError::Gone(_)),
        ) => return Ok(None),
        Err(error) => return Err(error),
    };
    let netns = target.netns();
    let unreadable = |why: std::io::Error| FindError::no_answer(entry, why.to_string());
    Ok(Some(TargetNetwork {
        pid: target.pid(),
        netns: netns.inode(),
        addresses: netns.addresses().await.map_err(unreadable)?,
        listeners: netns.listeners().await.map_err(unreadable)?,
    }))
}
