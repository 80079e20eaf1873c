//! Asks the runtimes, and not more often than a client may make us.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use tokio::sync::Mutex;

use super::group::pods_of;
use super::pod::ServedPod;
use crate::model::TargetNetwork;
use crate::runtime::{ContainerIndex, Runtimes};
use crate::serve::allow::AllowList;
use crate::target::NetworkLookup;

/// How long an answer of the runtimes is used. An answer that took longer than this is used for as long
/// as it took, so that a runtime that hangs does not delay every request.
const FRESH_TIME: Duration = Duration::from_secs(1);

/// The pods of this node, by its runtimes.
pub(in crate::serve) struct PodSource {
    runtimes: Runtimes,
    allowed: AllowList,
    /// Whoever holds it asks. The others wait for the answer, and use it too.
    list: Mutex<Option<Asked<Listed>>>,
    /// By the id of the sandbox or container.
    networks: Mutex<HashMap<String, Asked<Option<TargetNetwork>>>>,
}

/// The pods, or which runtimes were asked in vain.
type Listed = Result<Arc<Snapshot>, String>;

/// The pods at one time.
pub(in crate::serve) struct Snapshot {
    /// By namespace and name. Only allowed ones.
    pub(in crate::serve) pods: Vec<ServedPod>,
    /// A line for each runtime that did not answer.
    pub(in crate::serve) unanswered: Vec<String>,
    /// When the runtimes were asked.
    pub(in crate::serve) time: Timestamp,
}

/// An answer, and how long it may be used.
struct Asked<T> {
    answer: T,
    until: Instant,
}

impl<T> Asked<T> {
    /// An answer to a question that was asked at that time.
    fn new(asked: Instant, answer: T) -> Self {
        let now = Instant::now();
        Self { answer, until: now + FRESH_TIME.max(now.saturating_duration_since(asked)) }
    }

    fn fresh(&self) -> Option<&T> {
        (Instant::now() < self.until).then_some(&self.answer)
    }
}

impl PodSource {
    pub(in crate::serve) fn new(runtimes: Runtimes, allowed: AllowList) -> Self {
        Self { runtimes, allowed, list: Mutex::default(), networks: Mutex::default() }
    }

    /// Whether clients may see and reach that pod.
    pub(in crate::serve) fn allows(&self, namespace: &str, name: &str) -> bool {
        self.allowed.allows(namespace, name)
    }

    /// The pods that clients may see. If no runtime answers, the error says which were asked.
    pub(in crate::serve) async fn list(&self) -> Listed {
        let mut list = self.list.lock().await;
        if let Some(answer) = list.as_ref().and_then(Asked::fresh) {
            return answer.clone();
        }
        let asked = Instant::now();
        let answer = self.ask().await.map(Arc::new);
        *list = Some(Asked::new(asked, answer.clone()));
        answer
    }

    async fn ask(&self) -> Result<Snapshot, String> {
        let time = Timestamp::now();
        let index = ContainerIndex::build(&self.runtimes).await?;
        let unanswered = index.unanswered();
        let mut pods = pods_of(index.entries);
        pods.retain(|one| self.allows(&one.pod.namespace, &one.pod.name));
        Ok(Snapshot { pods, unanswered, time })
    }

    /// The networks of these pods, by the id of the sandbox or container, and a line for each question
    /// that was not answered. The ids of pods without a network are left out.
    pub(in crate::serve) async fn networks(
        &self,
        pods: &[&ServedPod],
    ) -> (HashMap<String, TargetNetwork>, Vec<String>) {
        let mut known = self.networks.lock().await;
        known.retain(|_, network| network.fresh().is_some());
        let (mut found, mut lookup) = (HashMap::new(), NetworkLookup::start());
        for pod in pods {
            let id = &pod.entry.info.id;
            let network = if let Some(Asked { answer, .. }) = known.get(id) {
                answer.clone()
            } else {
                let asked = Instant::now();
                let network = lookup.of(&pod.entry).await;
                known.insert(id.clone(), Asked::new(asked, network.clone()));
                network
            };
            found.extend(network.map(|network| (id.clone(), network)));
        }
        (found, lookup.unanswered())
    }
}

impl Snapshot {
    /// The pod with this name.
    pub(in crate::serve) fn pod(&self, namespace: &str, name: &str) -> Option<&ServedPod> {
        self.pods.iter().find(|one| one.pod.namespace == namespace && one.pod.name == name)
    }

    /// The namespaces of the pods, sorted.
    pub(in crate::serve) fn namespaces(&self) -> Vec<&str> {
        let mut seen = HashSet::new();
        let all = self.pods.iter().map(|one| one.pod.namespace.as_str());
        all.filter(|namespace| seen.insert(*namespace)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn runtimes_are_not_asked_for_each_request() {
        let endpoint = Some("/nonexistent.sock".parse().unwrap());
        let source =
            PodSource::new(Runtimes { endpoint, ..Runtimes::default() }, AllowList::default());
        let until = async || source.list.lock().await.as_ref().map(|asked| asked.until);
        assert!(source.list().await.is_err_and(|why| why.contains("no such socket")));
        let first = until().await;
        assert!(source.list().await.is_err());
        assert_eq!(until().await, first, "the answer is used again");
    }

    #[test]
    fn an_answer_that_took_long_is_used_for_long() {
        let asked = |ago| Instant::now().checked_sub(Duration::from_secs(ago)).unwrap();
        let left = |ago| Asked::new(asked(ago), ()).until.duration_since(Instant::now());
        assert!(left(0) > Duration::from_millis(900) && left(0) <= FRESH_TIME);
        assert!(left(8) > Duration::from_millis(7900));
    }
}
