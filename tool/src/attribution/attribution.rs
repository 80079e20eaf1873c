//! Finds the owner of a process or network namespace.
//!
//! A *placement* is what is known without a runtime: the id of the container, from the path of the
//! cgroup. The *owner* has the names of the pod and the container. Names that are not known yet come
//! from the resolver. The answers are remembered, and no event waits for them.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_util::task::AbortOnDropHandle;

use super::budget::Budget;
use super::cache::LookupCache;
use super::locator::Locator;
use super::resolver::{Answer, NameResolver, ResolvedNames};
use crate::model::{
    Container, ContainerRef, Destination, ExecEvent, Lookup, NamedProcess, Owner, Placement,
};
use crate::runtime::{Runtimes, spawn};

/// At most this many lookups wait for the resolver. Events of further containers are shown without
/// names.
const MAX_PENDING: usize = 1024;

/// How long the name of a network namespace counts, and how long a container counts as disputed. The
/// resolver then checks again.
const RECHECK_INTERVAL: Duration = Duration::from_secs(1);

/// How long [`Attribution::complete`] waits: as long as a runtime may take to answer.
const RESOLVE_TIMEOUT: Duration = Duration::from_secs(5);

/// Finds the owners of processes and namespaces. One is enough for a command.
pub struct Attribution {
    locator: Locator,
    /// The destination of all connections, if there is only one.
    fixed: Option<Destination>,
    /// The resolver; `None` if no names are wanted.
    names: Option<Resolver>,
}

/// The connection to the resolver's task, and what it has answered.
struct Resolver {
    questions: mpsc::Sender<Placement>,
    answers: mpsc::Receiver<Answer>,
    pending: HashSet<Placement>,
    budget: Budget,
    /// The id of a container is never used again, so its entry stays right. The inode of a
    /// namespace may be used again, and a container may not be known to its runtime yet: these
    /// entries count only for [`RECHECK_INTERVAL`].
    known: LookupCache<Placement, (Instant, ResolvedNames)>,
    /// Asks until it is dropped.
    _task: AbortOnDropHandle<()>,
}

/// The owner of a placement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Naming {
    /// The final answer: no lookup will add to it.
    Known(Owner),
    /// What is known before the runtimes have answered.
    Pending(Owner),
}

impl Attribution {
    /// Asks these runtimes for names, including runtimes that start later.
    #[must_use]
    pub fn with_names(runtimes: &Runtimes) -> Self {
        let (questions, received) = mpsc::channel(MAX_PENDING);
        let (sender, answers) = mpsc::channel(MAX_PENDING);
        let resolver = NameResolver::new(runtimes).run(received, sender);
        let names = spawn(resolver).map(|task| Resolver {
            questions,
            answers,
            pending: HashSet::new(),
            budget: Budget::new(Instant::now()),
            known: LookupCache::new(),
            _task: task,
        });
        Self { locator: Locator::new(), fixed: None, names }
    }

    /// Asks no runtime.
    #[must_use]
    pub fn without_names() -> Self {
        Self { locator: Locator::new(), fixed: None, names: None }
    }

    /// Everything leads to this destination.
    #[must_use]
    pub fn fixed(destination: Destination) -> Self {
        Self { fixed: Some(destination), ..Self::without_names() }
    }

    /// Everything leads to this destination from now on.
    pub fn set_fixed(&mut self, destination: Destination) {
        self.fixed = Some(destination);
    }

    /// The placement of an exec. To be called as soon as the event has come.
    pub fn place(&mut self, exec: &ExecEvent) -> Placement {
        if self.names.is_some() { self.locator.place(exec) } else { Placement::default() }
    }

    /// The answer to a lookup, without names. To be called as soon as the event has come.
    pub fn destination(&mut self, lookup: Lookup) -> Destination {
        match &self.fixed {
            Some(destination) => destination.clone(),
            None => self.locator.destination(lookup),
        }
    }

    /// Whether a process can be entered now.
    pub fn can_be_entered(&mut self, name: NamedProcess) -> bool {
        self.locator.can_be_entered(name)
    }

    /// The owner of a placement, without waiting.
    pub fn owner(&mut self, placement: &Placement) -> Naming {
        if let Some(destination) = &self.fixed {
            return Naming::Known(destination.owner.clone());
        }
        if placement.is_empty() {
            return Naming::Known(Owner::default());
        }
        let Some(names) = &mut self.names else {
            return Naming::Known(owner(placement, None));
        };
        names.receive();
        if let Some((when, found)) = names.known.get(placement)
            && (placement.netns.is_none() && !found.is_disputed
                || when.elapsed() < RECHECK_INTERVAL)
        {
            return Naming::Known(owner(placement, Some(found)));
        }
        if names.known.is_known_missing(placement) || !names.ask(placement) {
            return Naming::Known(owner(placement, None));
        }
        Naming::Pending(owner(placement, None))
    }

    /// Waits until the resolver has answered something. Cancel safe.
    pub async fn answered(&mut self) {
        let Some(names) = &mut self.names else { return std::future::pending().await };
        match names.answers.recv().await {
            Some(answer) => names.keep(answer),
            None => std::future::pending().await,
        }
    }

    /// Adds the owner to a destination, once the runtimes have answered or their time is up.
    pub async fn complete(&mut self, destination: &mut Destination) {
        let netns = destination.netns.and_then(|netns| u32::try_from(netns).ok());
        let now = |pid| NamedProcess { pid, pidns: None, time_ns: u64::MAX };
        let process = destination.pid.map(|pid| Lookup::Process(now(pid)));
        let lookup = process.or(netns.map(Lookup::Netns));
        let Some(lookup) = lookup else { return };
        let Destination { pid, comm, placement, .. } = self.destination(lookup);
        if destination.pid.is_none() {
            (destination.pid, destination.comm) = (pid, comm);
        }
        let known = async {
            loop {
                match self.owner(&placement) {
                    Naming::Known(owner) => return owner,
                    Naming::Pending(_) => self.answered().await,
                }
            }
        };
        destination.owner = match timeout(RESOLVE_TIMEOUT, known).await {
            Ok(owner) => owner,
            Err(_) => owner(&placement, None),
        };
        destination.placement = placement;
    }
}

impl Resolver {
    /// Takes the answers that have come.
    fn receive(&mut self) {
        while let Ok(answer) = self.answers.try_recv() {
            self.keep(answer);
        }
    }

    fn keep(&mut self, Answer { placement, names }: Answer) {
        self.pending.remove(&placement);
        if names.is_none() {
            self.known.remove(&placement);
        }
        self.known.insert(placement, names.map(|names| (Instant::now(), names)));
    }

    /// Asks for the names of a placement, once. False if too many questions wait already, or came in
    /// the last second.
    fn ask(&mut self, placement: &Placement) -> bool {
        if self.pending.contains(placement) {
            return true;
        }
        let is_delegated = placement.container_folder.is_delegated;
        let is_asked = self.budget.take(is_delegated, Instant::now())
            && self.questions.try_send(placement.clone()).is_ok();
        if is_asked {
            self.pending.insert(placement.clone());
        }
        is_asked
    }
}

/// Joins a placement with its names.
fn owner(placement: &Placement, names: Option<&ResolvedNames>) -> Owner {
    let ResolvedNames { runtime, name, pod, is_disputed } = names.cloned().unwrap_or_default();
    let is_confirmed = runtime.is_some();
    let is_disputed = is_disputed || placement.container_folder.is_delegated && !is_confirmed;
    let container = placement.container.clone().map(|container| Container {
        runtime: runtime.unwrap_or(container.runtime),
        name: name.or_else(|| (!ContainerRef::is_id(&container.id)).then(|| container.id.clone())),
        id: container.id,
        is_confirmed,
        is_disputed,
    });
    // All containers of a pod share its network namespace, so it does not name one of them.
    let is_shared = placement.is_shared && pod.is_some();
    let container = container.filter(|_| !is_shared);
    let is_claimed = placement.is_claimed && (container.is_some() || pod.is_some());
    Owner { container, pod, is_claimed }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{ContainerRef, NamedFolder, Pod};

    fn placement(is_shared: bool) -> Placement {
        let container = Some(ContainerRef { id: "0123".to_owned(), runtime: "unknown" });
        Placement { container, is_shared, ..Placement::default() }
    }

    #[test]
    fn a_namespace_names_a_pod_but_not_a_container() {
        let pod = Pod { namespace: "shop".into(), name: "kuard".into(), uid: "u".into() };
        let (runtime, name) = (Some("docker"), Some("web".to_owned()));
        let names = ResolvedNames { runtime, name, pod: Some(pod.clone()), is_disputed: false };
        let own = owner(&placement(false), Some(&names));
        let container = own.container.unwrap();
        assert_eq!((container.runtime, container.is_confirmed), ("docker", true));
        assert_eq!(own.pod, Some(pod.clone()));
        let shared = owner(&placement(true), Some(&names));
        assert_eq!((shared.container, shared.pod), (None, Some(pod)));
    }

    #[test]
    fn a_container_that_no_runtime_knows_is_not_confirmed() {
        let container = owner(&placement(true), None).container.unwrap();
        assert_eq!((container.id.as_str(), container.is_confirmed), ("0123", false));
    }

    #[test]
    fn a_container_in_a_folder_of_others_is_disputed_until_a_runtime_confirms_it() {
        let container_folder = NamedFolder { path: Some("/x".to_owned()), is_delegated: true };
        let placement = Placement { container_folder, ..placement(false) };
        assert!(owner(&placement, None).container.unwrap().is_disputed);
        let names = ResolvedNames { runtime: Some("podman"), ..ResolvedNames::default() };
        let container = owner(&placement, Some(&names)).container.unwrap();
        assert!(container.is_confirmed && !container.is_disputed);
    }

    #[test]
    fn without_names_nothing_is_asked() {
        let naming = Attribution::without_names().owner(&placement(false));
        assert!(matches!(naming, Naming::Known(Owner { container: Some(_), pod: None, .. })));
    }
}
