//! Whose a process is: from its cgroup, from the network namespace that it has entered, or from
//! the target that it is about to enter; with names from the runtimes or the kubelet's folders.

use super::Target;
use super::memory::Memory;
use super::namers::Namers;
use super::runtimes::Runtimes;
use super::source;
use crate::node::cgroup::{Placement, Runtime, of_name, placement_of};
use crate::node::kubelet::Logs;
use crate::node::netns;
use crate::node::process::{netns_of, processes_in_netns};
use crate::trace::{Container, ExecEvent, Invocation, Owner, Pod, invocation};

/// Finds owners. One is enough for a command: it remembers names.
pub struct Attributor {
    namers: Namers,
    logs: Logs,
    host_netns: Option<u32>,
    /// By id of the container. Ids are never used again, so nothing grows stale.
    names: Memory<String, Names>,
    /// By uid, what the folders tell of a pod.
    pods: Memory<String, Pod>,
    /// A process that was in that network namespace, and in a container, when we looked.
    in_netns: Memory<u32, u32>,
}

/// What is known of a container beyond its id.
#[derive(Clone, Default)]
struct Names {
    /// Who said so, when that tells the runtime.
    runtime: Option<&'static str>,
    name: Option<String>,
    pod: Option<Pod>,
}

/// Where an exec belongs, taken while its process is there to be looked at.
#[derive(Debug, Default)]
pub struct Trail {
    placement: Placement,
    /// The pod's network namespace was the trail: of several containers in it, none is meant.
    by_netns: bool,
}

impl Attributor {
    /// Connects to those runtimes that answer; others may come later.
    pub async fn new(runtimes: &Runtimes) -> Self {
        Self::asking(Namers::connect(runtimes).await)
    }

    /// Asks no runtime for names, and so waits for none.
    pub(super) fn without_runtimes() -> Self {
        Self::asking(Namers::none())
    }

    fn asking(namers: Namers) -> Self {
        Self {
            namers,
            logs: Logs::default(),
            host_netns: netns::inode_of(&netns::host_file())
                .and_then(|inode| u32::try_from(inode).ok()),
            names: Memory::new(),
            pods: Memory::new(),
            in_netns: Memory::new(),
        }
    }

    /// Follows an exec's trail as far as /proc goes: fast, and to be done at once, since the
    /// process may end at any time.
    pub fn trail(&mut self, exec: &ExecEvent) -> Trail {
        // What the kernel saw at the exec counts: the pid may be another's by now.
        let mut own = of_name(&exec.cgroup);
        if let Some(full) = placement_of(exec.pid)
            && (own.container.is_none() || own.container_id() == full.container_id())
        {
            own = full;
        }
        if own.container.is_some() {
            return Trail { placement: own, by_netns: false };
        }
        // An nsenter on its way into a pod is the pod's concern, not only the host's.
        if let Some(Invocation::Nsenter(nsenter)) = invocation(&exec.args) {
            let placement = nsenter.target.and_then(placement_of).unwrap_or_default();
            return Trail { placement, by_netns: true };
        }
        let foreign = exec.netns.filter(|&netns| Some(netns) != self.host_netns);
        let placement = foreign.and_then(|netns| self.of_netns(netns));
        Trail { by_netns: true, placement: placement.unwrap_or_default() }
    }

    /// The trail of a target that was named: of a pod, or of a container that is in none.
    pub fn trail_into(&mut self, target: &Target) -> Trail {
        match (target.pid(), u32::try_from(target.netns().inode())) {
            (Some(pid), _) => Self::trail_of_process(pid),
            (None, Ok(netns)) => self.trail_of_netns(netns).1,
            (None, Err(_)) => Trail { by_netns: true, ..Trail::default() },
        }
    }

    /// The trail of a process whose network namespace is entered.
    pub(super) fn trail_of_process(pid: u32) -> Trail {
        Trail { placement: placement_of(pid).unwrap_or_default(), by_netns: true }
    }

    /// The trail of a network namespace that is entered, and a process of a container that is in
    /// there. The node's own is nobody's.
    pub(super) fn trail_of_netns(&mut self, netns: u32) -> (Option<u32>, Trail) {
        let foreign = Some(netns).filter(|_| Some(netns) != self.host_netns);
        let placement = foreign.and_then(|netns| self.of_netns(netns));
        let pid = placement.as_ref().and_then(|_| self.in_netns.get(&netns).copied());
        (pid, Trail { placement: placement.unwrap_or_default(), by_netns: true })
    }

    /// Whether that is the network namespace of the node.
    pub(super) fn is_hosts(&self, netns: u32) -> bool {
        self.host_netns == Some(netns)
    }

    /// The owner at the end of a trail, by name.
    pub async fn owner(&mut self, trail: Trail) -> Owner {
        let Placement { container, pod_uid } = trail.placement;
        let Some((id, runtime)) = container else {
            return Owner { container: None, pod: pod_uid.and_then(|uid| self.pod(&uid)) };
        };
        let Names { runtime: known, name, pod } = self.names(&id).await;
        let pod = pod.or_else(|| self.pod(&pod_uid?));
        let shared = trail.by_netns && pod.is_some();
        let runtime = known.unwrap_or_else(|| runtime_name(runtime));
        let container = Container { id, runtime, name };
        Owner { container: (!shared).then_some(container), pod }
    }

    /// Where some process in a container is that has this network namespace.
    fn of_netns(&mut self, netns: u32) -> Option<Placement> {
        if let Some(&pid) = self.in_netns.get(&netns) {
            // The inode may belong to another namespace by now.
            if netns_of(pid).ok() == Some(netns.into()) {
                return placement_of(pid);
            }
            self.in_netns.forget(&netns);
        }
        // Looking through all processes is slow, and each exec in there would do it again.
        if self.in_netns.is_nothing(&netns) {
            return None;
        }
        let placed = |pid| Some((pid, placement_of(pid)?));
        let mut found = processes_in_netns(netns.into()).filter_map(placed);
        let found = found.find(|(_, placement)| placement.container.is_some());
        self.in_netns.keep(netns, found.as_ref().map(|&(pid, _)| pid));
        found.map(|(_, placement)| placement)
    }

    async fn names(&mut self, id: &str) -> Names {
        if let Some(names) = self.names.get(id) {
            return names.clone();
        }
        if self.names.is_nothing(id) {
            return Names::default();
        }
        let names = self.look_up_names(id).await;
        self.names.keep(id.to_owned(), names.clone());
        names.unwrap_or_default()
    }

    /// The pod of that uid, by the folders' names.
    fn pod(&mut self, uid: &str) -> Option<Pod> {
        if self.pods.get(uid).is_none() && !self.pods.is_nothing(uid) {
            self.pods.keep(uid.to_owned(), self.logs.pod(uid));
        }
        self.pods.get(uid).cloned()
    }

    async fn look_up_names(&mut self, id: &str) -> Option<Names> {
        if let Some((runtime, source::Names { name, pod })) = self.namers.names(id).await {
            return Some(Names { runtime: Some(runtime), name, pod });
        }
        let (name, pod) = self.logs.container(id)?;
        Some(Names { runtime: None, name: Some(name), pod: Some(pod) })
    }
}

fn runtime_name(runtime: Runtime) -> &'static str {
    match runtime {
        Runtime::Docker => "docker",
        Runtime::Containerd => "containerd",
        Runtime::Crio => "cri-o",
        Runtime::Podman => "podman",
        Runtime::Unknown => "unknown",
    }
}
