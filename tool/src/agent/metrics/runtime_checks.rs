//! Whether each container runtime of this node answers.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use tokio::time::{MissedTickBehavior, interval};

use crate::runtime::{Asked, Candidate, Runtimes};

/// How often the runtimes are asked.
const CHECK_INTERVAL: Duration = Duration::from_secs(30);

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RuntimeLabel {
    runtime: &'static str,
}

/// Asks the runtimes every 30 seconds whether they answer. A node has a handful of runtimes.
#[derive(Debug)]
pub struct RuntimeChecks {
    runtimes: Runtimes,
    up: Family<RuntimeLabel, Gauge>,
    /// What the runtime at each address called itself last.
    names: HashMap<String, &'static str>,
}

impl RuntimeChecks {
    /// Registers the metric.
    #[must_use]
    pub fn register(registry: &mut Registry, runtimes: Runtimes) -> Self {
        let up = Family::default();
        let help = "Whether the container runtime answers: 1, or 0";
        registry.register("pfsnoop_runtime_up", help, up.clone());
        Self { runtimes, up, names: HashMap::new() }
    }

    /// Asks them again and again. Each answer has a deadline.
    pub async fn run(mut self) -> ! {
        let mut interval = interval(CHECK_INTERVAL);
        interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            interval.tick().await;
            self.check().await;
        }
    }

    /// A runtime that answered once, and has no socket any more, is down.
    async fn check(&mut self) {
        let mut up = BTreeMap::new();
        for candidate in self.runtimes.candidates() {
            let address = candidate.address().to_owned();
            if candidate.is_worth_asking() || self.names.contains_key(&address) {
                self.ask(candidate, &address, &mut up).await;
            }
        }
        // A runtime that answers for the first time has another name than before.
        self.up.clear();
        for (runtime, is_up) in up {
            self.up.get_or_create(&RuntimeLabel { runtime }).set(i64::from(is_up));
        }
    }

    /// Of several runtimes with one name, one that is down counts.
    async fn ask(
        &mut self,
        candidate: Candidate,
        address: &str,
        up: &mut BTreeMap<&'static str, bool>,
    ) {
        let protocol = candidate.protocol_name();
        let Asked { answer, .. } = candidate.ask().await;
        let is_up = match &answer {
            Ok(client) => {
                self.names.insert(address.to_owned(), client.name());
                true
            }
            // A daemon for another purpose, such as Docker's own containerd.
            Err(error) if error.is_not_served() => return,
            Err(_) => false,
        };
        let name = self.names.get(address).copied().unwrap_or(protocol);
        *up.entry(name).or_insert(true) &= is_up;
    }
}
