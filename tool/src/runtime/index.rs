//! Every sandbox and container that the runtimes of this node list.

use std::sync::Arc;

use super::candidate::Asked;
use super::client::{Place, RuntimeClient, RuntimeError};
use super::discovery::Runtimes;
use crate::model::{TargetInfo, TargetKind};

/// What the runtimes list, and how each of them answered.
pub struct ContainerIndex {
    /// Every sandbox and container.
    pub entries: Vec<IndexEntry>,
    /// Each runtime that was asked, and its answer.
    asked: Vec<(String, Listing)>,
}

/// A runtime's answer.
enum Listing {
    Counts { pods: usize, containers: usize },
    Failed(RuntimeError),
}

/// A sandbox or a container, and the runtime that has it.
#[derive(Clone)]
pub struct IndexEntry {
    /// The runtime.
    pub client: Arc<dyn RuntimeClient>,
    /// As the runtime lists it.
    pub info: TargetInfo,
}

impl ContainerIndex {
    /// Asks the runtimes. If no runtime answers, the error says which were asked, and why each did
    /// not answer.
    pub async fn build(runtimes: &Runtimes) -> Result<Self, String> {
        let mut index = Self { entries: Vec::new(), asked: Vec::new() };
        for (Asked { runtime, answer, .. }, list) in runtimes.list().await {
            let listing = match (answer, list) {
                (Ok(client), Ok(listed)) => index.add(&client, listed),
                (Err(error), _) | (_, Err(error)) => Listing::Failed(error),
            };
            index.asked.push((runtime, listing));
        }
        if index.asked.iter().any(|(_, listing)| matches!(listing, Listing::Counts { .. })) {
            return Ok(index);
        }
        Err(if index.asked.is_empty() {
            format!("nothing listens at {}", runtimes.addresses().join(", "))
        } else {
            format!("asked: {}", index.asked())
        })
    }

    fn add(&mut self, client: &Arc<dyn RuntimeClient>, listed: Vec<TargetInfo>) -> Listing {
        let pods = listed.iter().filter(|one| one.kind == TargetKind::Sandbox).count();
        let listing = Listing::Counts { pods, containers: listed.len() - pods };
        let entry = |info| IndexEntry { client: Arc::clone(client), info };
        self.entries.extend(listed.into_iter().map(entry));
        listing
    }

    /// A line for each runtime that did not answer, with the reason. A daemon for another
    /// purpose, such as Docker's own containerd, is left out.
    #[must_use]
    pub fn unanswered(&self) -> Vec<String> {
        let line = |(runtime, listing): &(String, Listing)| match listing {
            Listing::Failed(error) if !error.is_not_served() => Some(format!("{runtime}: {error}")),
            _ => None,
        };
        self.asked.iter().filter_map(line).collect()
    }

    /// The runtimes that were asked and their answers, in one line.
    #[must_use]
    pub fn asked(&self) -> String {
        let one = |(runtime, listing): &(String, Listing)| match listing {
            Listing::Counts { pods, containers } => {
                format!("{runtime}: {}, {}", count(*pods, "pod"), count(*containers, "container"))
            }
            Listing::Failed(error) => format!("{runtime}: {error}"),
        };
        self.asked.iter().map(one).collect::<Vec<_>>().join("; ")
    }
}

impl IndexEntry {
    /// Where its processes are now; `None` when it does not run.
    pub async fn place(&self) -> Result<Option<Place>, RuntimeError> {
        self.client.place(&self.info).await
    }
}

fn count(number: usize, what: &str) -> String {
    if number == 1 { format!("1 {what}") } else { format!("{number} {what}s") }
}
