//! Asks the runtimes for names, on the thread for the runtimes. A runtime may start, or start again,
//! while a command runs.

use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::timeout;

use super::connection::{Connection, Found};
use super::kubelet_logs::KubeletLogs;
use super::namespaces::Namespaces;
use crate::host::cgroup::is_cgroup_of;
use crate::model::{ContainerRef, Placement, Pod};
use crate::runtime::{Names, Runtimes};

/// How long the first lookup waits for connections: less than a row waits for its names.
const FIRST_CONNECT_TIMEOUT: Duration = Duration::from_millis(700);

/// How long a runtime may take to tell the namespaces of its pods. Other lookups wait meanwhile.
const PODS_TIMEOUT: Duration = Duration::from_secs(2);

/// The names of a container and its pod.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct ResolvedNames {
    /// The runtime that has the container; `None` if the names come from the kubelet's folders.
    pub(super) runtime: Option<&'static str>,
    pub(super) name: Option<String>,
    pub(super) pod: Option<Pod>,
    /// The runtimes that answer do not have the container, or have it in another cgroup. At most the
    /// pod is known then, by the folder outside of the container's.
    pub(super) is_disputed: bool,
}

/// The result of a lookup.
pub(super) struct Answer {
    pub(super) placement: Placement,
    pub(super) names: Option<ResolvedNames>,
}

/// Looks up names, one placement after another.
pub(super) struct NameResolver {
    runtimes: Vec<Connection>,
    logs: KubeletLogs,
    namespaces: Namespaces,
}

impl NameResolver {
    pub(super) fn new(runtimes: &Runtimes) -> Self {
        let runtimes = runtimes.candidates().into_iter().map(Connection::new).collect();
        Self { runtimes, logs: KubeletLogs::default(), namespaces: Namespaces::new() }
    }

    /// Answers questions until the sender is dropped.
    pub(super) async fn run(
        mut self,
        mut questions: mpsc::Receiver<Placement>,
        answers: mpsc::Sender<Answer>,
    ) {
        self.runtimes.iter_mut().for_each(Connection::connect);
        let all_connected = async {
            for runtime in &mut self.runtimes {
                runtime.connected().await;
            }
        };
        // A runtime that hangs must not keep the others from answering.
        let _ = timeout(FIRST_CONNECT_TIMEOUT, all_connected).await;
        while let Some(placement) = questions.recv().await {
            let names = self.resolve(&placement).await;
            if answers.send(Answer { placement, names }).await.is_err() {
                return;
            }
        }
    }

    async fn resolve(&mut self, placement: &Placement) -> Option<ResolvedNames> {
        if let Some(inode) = placement.netns {
            return self.of_netns(inode).await;
        }
        let by_container = match placement.container_id().filter(|id| ContainerRef::is_id(id)) {
            Some(id) => self.of_container(placement, id).await,
            None => None,
        };
        // The folder of the pod is outside of the container's: who has confirmed that one has
        // confirmed both.
        let is_confirmed = by_container.as_ref().is_some_and(|names| names.runtime.is_some());
        let has_pod = by_container.as_ref().is_some_and(|names| names.pod.is_some());
        let by_uid = || placement.pod_uid.as_ref().and_then(|uid| self.logs.pod(uid));
        let is_certain = is_confirmed || !placement.pod_folder.is_delegated;
        match if has_pod || !is_certain { None } else { by_uid() } {
            Some(pod) => Some(ResolvedNames { pod: Some(pod), ..by_container.unwrap_or_default() }),
            None => by_container,
        }
    }

    async fn of_netns(&mut self, inode: u64) -> Option<ResolvedNames> {
        let mut known = self.namespaces.known(inode);
        if known.is_none() && self.namespaces.begin_refresh() {
            for runtime in &mut self.runtimes {
                let Some(client) = runtime.client().await else { continue };
                // When the time is up, what has come by then is known.
                let adding = timeout(PODS_TIMEOUT, self.namespaces.add(&client)).await;
                if let Ok(Err(error)) = adding {
                    runtime.silent(&error);
                }
            }
            known = self.namespaces.known(inode);
        }
        let (runtime, pod) = known?;
        let (runtime, pod) = (Some(runtime), Some(pod));
        Some(ResolvedNames { runtime, pod, ..ResolvedNames::default() })
    }

    /// The names of a container, if a runtime confirms that the cgroup is the container's. While no
    /// runtime answers, the kubelet's folders know names too, for a cgroup that only root can name.
    async fn of_container(&mut self, placement: &Placement, id: &str) -> Option<ResolvedNames> {
        let (mut is_denied, mut is_silent) = (false, false);
        for runtime in &mut self.runtimes {
            match runtime.names(id).await {
                Found::Names(runtime, Names { name, pod, pid }) => {
                    if is_in_container(placement, id, pid) {
                        let runtime = Some(runtime);
                        return Some(ResolvedNames { runtime, name, pod, is_disputed: false });
                    }
                    return Some(ResolvedNames { is_disputed: true, ..ResolvedNames::default() });
                }
                Found::Nothing => is_denied = true,
                Found::Silence => is_silent = true,
                Found::NoRuntime => {}
            }
        }
        if is_denied && !is_silent {
            return Some(ResolvedNames { is_disputed: true, ..ResolvedNames::default() });
        }
        if placement.container_folder.is_delegated {
            return None;
        }
        let (name, pod) = self.logs.container(id)?;
        Some(ResolvedNames { name: Some(name), pod: Some(pod), ..ResolvedNames::default() })
    }
}

/// Whether a process in this cgroup is in the container, of which the runtime reports the first
/// process. A container that has ended has none. Its cgroup is then judged by where it is.
fn is_in_container(placement: &Placement, id: &str, pid: Option<u32>) -> bool {
    let by_process = pid.and_then(|pid| is_cgroup_of(placement, id, pid));
    by_process.unwrap_or(!placement.container_folder.is_delegated)
}
