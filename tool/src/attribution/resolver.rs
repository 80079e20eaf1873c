//! Asks the runtimes for names, in a separate task. A runtime may start, or start again, while a
//! command runs.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::kubelet_logs::KubeletLogs;
use super::namespaces::Namespaces;
use crate::model::{ContainerRef, Placement, Pod};
use crate::runtime::{Asked, Candidate, Names, RuntimeClient, RuntimeError, Runtimes};

/// How long a runtime that did not answer is skipped. Otherwise each lookup would wait for it.
const SILENT_BACKOFF: Duration = Duration::from_secs(30);

/// How long a runtime is skipped after connecting to it failed. No lookup waits for a new
/// connection.
const ABSENT_BACKOFF: Duration = Duration::from_secs(2);

/// How long the first lookup waits for connections: less than a row waits for its names.
const FIRST_CONNECT_TIMEOUT: Duration = Duration::from_millis(700);

/// The names of a container and its pod.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct ResolvedNames {
    /// The runtime that has the container; `None` if the names come from the kubelet's folders.
    pub(super) runtime: Option<&'static str>,
    pub(super) name: Option<String>,
    pub(super) pod: Option<Pod>,
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

/// A runtime that may run on this node.
struct Connection {
    candidate: Candidate,
    /// Set while the runtime answers.
    client: Option<Arc<dyn RuntimeClient>>,
    /// A connection that is being made.
    connecting: Option<JoinHandle<Asked>>,
    /// Set after a failure: the runtime is skipped until then.
    skipped_until: Option<Instant>,
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
            Some(id) => self.of_container(id).await,
            None => None,
        };
        let has_pod = by_container.as_ref().is_some_and(|names| names.pod.is_some());
        let by_uid = || placement.pod_uid.as_ref().and_then(|uid| self.logs.pod(uid));
        match if has_pod { None } else { by_uid() } {
            Some(pod) => Some(ResolvedNames { pod: Some(pod), ..by_container.unwrap_or_default() }),
            None => by_container,
        }
    }

    async fn of_netns(&mut self, inode: u64) -> Option<ResolvedNames> {
        let mut known = self.namespaces.known(inode);
        if known.is_none() && self.namespaces.begin_refresh() {
            for runtime in &mut self.runtimes {
                let Some(client) = runtime.client().await else { continue };
                if let Err(error) = self.namespaces.add(&client).await {
                    runtime.silent(&error);
                }
            }
            known = self.namespaces.known(inode);
        }
        let (runtime, pod) = known?;
        Some(ResolvedNames { runtime: Some(runtime), name: None, pod: Some(pod) })
    }

    async fn of_container(&mut self, id: &str) -> Option<ResolvedNames> {
        for runtime in &mut self.runtimes {
            if let Some((runtime, Names { name, pod })) = runtime.names(id).await {
                return Some(ResolvedNames { runtime: Some(runtime), name, pod });
            }
        }
        let (name, pod) = self.logs.container(id)?;
        Some(ResolvedNames { runtime: None, name: Some(name), pod: Some(pod) })
    }
}

impl Connection {
    fn new(candidate: Candidate) -> Self {
        Self { candidate, client: None, connecting: None, skipped_until: None }
    }

    async fn names(&mut self, id: &str) -> Option<(&'static str, Names)> {
        let client = self.client().await?;
        match client.names(id).await {
            Ok(names) => names.map(|names| (client.name(), names)),
            Err(error) => {
                self.silent(&error);
                None
            }
        }
    }

    /// The client of a runtime that answers.
    async fn client(&mut self) -> Option<Arc<dyn RuntimeClient>> {
        if self.client.is_none() {
            self.connect();
            if self.connecting.as_ref().is_some_and(JoinHandle::is_finished) {
                self.connected().await;
            }
        }
        self.client.clone()
    }

    /// The runtime does not answer: it is skipped for a while.
    fn silent(&mut self, error: &RuntimeError) {
        let name = self.client.take().map_or("a container runtime", |client| client.name());
        log::warn!("{name} does not answer: {error}; names may be missing");
        self.skipped_until = Instant::now().checked_add(SILENT_BACKOFF);
    }

    /// Starts to connect, unless that is under way, or the runtime is skipped or not there.
    fn connect(&mut self) {
        let is_skipped = self.skipped_until.is_some_and(|until| Instant::now() < until);
        if self.connecting.is_none() && !is_skipped && self.candidate.is_worth_asking() {
            self.connecting = Some(tokio::spawn(self.candidate.clone().ask()));
        }
    }

    /// Waits for the result of connecting. Cancel safe.
    async fn connected(&mut self) {
        let Some(connecting) = &mut self.connecting else { return };
        let asked = connecting.await;
        self.connecting = None;
        // A task ends early only by a panic, and panics abort.
        let Ok(Asked { runtime, answer, .. }) = asked else { return };
        match answer {
            Ok(client) => {
                self.client = Some(client);
                self.skipped_until = None;
            }
            Err(error) => {
                self.report(&runtime, &error);
                self.skipped_until = Instant::now().checked_add(ABSENT_BACKOFF);
            }
        }
    }

    /// Warns once: the runtime may never come back.
    fn report(&self, runtime: &str, error: &RuntimeError) {
        // A containerd that only serves Docker is as it should be.
        if error.is_not_served() || self.skipped_until.is_some() {
            log::debug!("{runtime}: {error}");
        } else {
            log::warn!("{runtime}: {error}; names may be missing");
        }
    }
}
