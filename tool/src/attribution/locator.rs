//! Finds the container and pod of a process: by its cgroup, by the network namespace that it has
//! entered, or by the target that it is about to enter. Asks `host`, which reads /proc, and does not
//! wait for anything else: the process may end at any time.

use std::time::Instant;

use super::cache::LookupCache;
use super::delegations::Delegations;
use super::foreign_pids::{ForeignPids, Named};
use super::scan::Scan;
use crate::host::cgroup::{of_record, placement_of};
use crate::host::netns;
use crate::host::process::{ProcessFacts, processes_and_netns, shows_pids_of};
use crate::model::{Destination, ExecEvent, Invocation, Lookup, NamedProcess, Placement};

/// Finds placements and destinations.
pub(super) struct Locator {
    host_netns: Option<u64>,
    foreign_pids: ForeignPids,
    /// All processes, as the last search through them found them.
    scan: Scan,
    /// By network namespace: a container's process that the last search found inside.
    by_netns: LookupCache<u32, u32>,
    /// By network namespace without a container: the first process that the last search found
    /// inside.
    first_by_netns: LookupCache<u32, FirstProcess>,
    /// By pid: the start of the process in clock ticks, and the destination that it had while it
    /// ran.
    by_pid: LookupCache<u32, (u64, Destination)>,
    delegations: Delegations,
}

/// The process of a network namespace that started first: in a pod, its pause process.
#[derive(Clone)]
struct FirstProcess {
    pid: u32,
    /// In clock ticks since boot.
    start: u64,
    comm: Option<Box<[u8]>>,
}

impl Locator {
    pub(super) fn new() -> Self {
        Self {
            host_netns: netns::host_inode(),
            foreign_pids: ForeignPids::new(),
            scan: Scan::new(),
            by_netns: LookupCache::new(),
            first_by_netns: LookupCache::new(),
            by_pid: LookupCache::new(),
            delegations: Delegations::new(),
        }
    }

    /// The placement of the process that called exec.
    pub(super) fn place(&mut self, exec: &ExecEvent) -> Placement {
        let placement = self.placement_of_exec(exec);
        self.delegations.judge(placement)
    }

    /// The destination of connections into this process or network namespace. For a process that
    /// has ended, this is the destination that it had.
    pub(super) fn destination(&mut self, lookup: Lookup) -> Destination {
        let destination = self.find_destination(lookup);
        let placement = self.delegations.judge(destination.placement);
        Destination { placement, ..destination }
    }

    fn placement_of_exec(&mut self, exec: &ExecEvent) -> Placement {
        // What the kernel saw at the exec counts: by now the pid may belong to another
        // process.
        let mut own = of_record(&exec.cgroup);
        if let Some(process) = ProcessFacts::of(exec.process())
            && let Some(full) = placement_of(&process)
            && own.container_id().is_none_or(|id| full.container_id() == Some(id))
        {
            own = full;
        }
        if own.container.is_some() {
            return own;
        }
        // An nsenter that is about to enter a pod concerns the pod, not only the host. Its arguments say so,
        // and anybody can write those: they count only if it may enter, as the host's root may.
        if let Some(Invocation::Nsenter(_)) = exec.invocation
            && exec.uid == 0
        {
            let target = exec.named_target().and_then(ProcessFacts::named);
            let placement = target.and_then(|target| placement_of(&target)).unwrap_or_default();
            return Placement { is_shared: true, is_claimed: true, ..placement };
        }
        self.of_netns(exec.netns)
    }

    fn find_destination(&mut self, lookup: Lookup) -> Destination {
        match lookup {
            Lookup::Process(name) => self.of_process(name),
            Lookup::Netns(inode) => {
                let placement = self.of_netns(Some(inode));
                let (pid, comm) = if placement.container.is_some() {
                    (self.by_netns.get(&inode).copied(), None)
                } else {
                    self.first_in_netns(inode)
                };
                let netns = Some(inode.into());
                Destination { pid, comm, netns, placement, ..Destination::default() }
            }
        }
    }

    fn of_process(&mut self, name: NamedProcess) -> Destination {
        let process = match self.foreign_pids.find(name) {
            Named::Process(process) => process,
            Named::Ended if shows_pids_of(name.pidns) => {
                let start = ProcessFacts::now(name.pid).map(|other| other.start());
                return self.of_ended(name.pid, start);
            }
            // The pid is not the node's.
            Named::Ended | Named::Unknown => return Destination::default(),
        };
        let pid = process.pid();
        let Some(netns) = process.netns() else {
            return self.of_ended(pid, Some(process.start()));
        };
        let placement = match placement_of(&process).filter(|own| !own.is_empty()) {
            Some(own) => Placement { is_shared: true, ..own },
            // A process of no container, in a namespace that may be a pod's.
            None => self.of_netns(u32::try_from(netns).ok()),
        };
        let comm = if placement.container.is_none() { process.comm() } else { None };
        let (pid_of_target, netns) = (Some(pid), Some(netns));
        let destination =
            Destination { pid: pid_of_target, comm, netns, placement, ..Destination::default() };
        self.by_pid.insert(pid, Some((process.start(), destination.clone())));
        destination
    }

    /// Whether a process can be entered now. A process that waits to be reaped cannot. One that is not
    /// known counts as one that can.
    pub(super) fn can_be_entered(&mut self, name: NamedProcess) -> bool {
        match self.foreign_pids.find(name) {
            Named::Process(process) => process.netns().is_some(),
            Named::Ended => false,
            Named::Unknown => true,
        }
    }

    /// The destination of a process that has ended, unless another process has got the pid since.
    fn of_ended(&mut self, pid: u32, start: Option<u64>) -> Destination {
        match self.by_pid.get(&pid) {
            Some((known, destination)) if start.is_none_or(|start| start == *known) => {
                destination.clone()
            }
            _ => {
                self.by_pid.remove(&pid);
                Destination { pid: Some(pid), ..Destination::default() }
            }
        }
    }

    /// The placement of a process in a container that has this network namespace. The node's own
    /// namespace belongs to no container.
    fn of_netns(&mut self, inode: Option<u32>) -> Placement {
        let foreign = inode.filter(|&inode| Some(inode.into()) != self.host_netns);
        let found = foreign.and_then(|inode| self.find_in_netns(inode));
        let netns = foreign.map(u64::from).filter(|_| found.is_none());
        Placement { is_shared: true, netns, ..found.unwrap_or_default() }
    }

    fn find_in_netns(&mut self, inode: u32) -> Option<Placement> {
        if let Some(&pid) = self.by_netns.get(&inode) {
            // The inode may belong to another namespace by now, and the pid to another process.
            let process = ProcessFacts::now(pid);
            if let Some(process) = process.filter(|it| it.netns() == Some(inode.into())) {
                return placement_of(&process);
            }
            self.by_netns.remove(&inode);
        }
        // A search through all processes is slow, and each exec inside the namespace would repeat
        // it.
        if self.by_netns.is_known_missing(&inode) {
            return None;
        }
        let pids = self.scan.processes(inode.into(), Instant::now(), processes_and_netns)?;
        let (mut found, mut first): (Option<(u32, Placement)>, Option<ProcessFacts>) = (None, None);
        for &pid in pids {
            // Since the search, the process may have ended or left, and its pid may be another's.
            let process = ProcessFacts::now(pid);
            let Some(process) = process.filter(|it| it.netns() == Some(inode.into())) else {
                continue;
            };
            let Some(placement) = placement_of(&process) else { continue };
            if placement.container.is_some() {
                let placement = self.delegations.judge(placement);
                let is_certain = !placement.container_folder.is_delegated;
                // If others than root may have named this cgroup, the search goes on: a process in a
                // cgroup that only root can name counts more.
                if is_certain || found.is_none() {
                    found = Some((process.pid(), placement));
                }
                if is_certain {
                    break;
                }
                continue;
            }
            if first.as_ref().is_none_or(|first| process.start() < first.start()) {
                first = Some(process);
            }
        }
        self.by_netns.insert(inode, found.as_ref().map(|&(pid, _)| pid));
        self.first_by_netns.remove(&inode);
        if let Some(first) = first.filter(|_| found.is_none()) {
            let (pid, start, comm) = (first.pid(), first.start(), first.comm());
            self.first_by_netns.insert(inode, Some(FirstProcess { pid, start, comm }));
        }
        found.map(|(_, placement)| placement)
    }

    /// The first process of a namespace without a container, as the last search found it.
    fn first_in_netns(&mut self, inode: u32) -> (Option<u32>, Option<Box<[u8]>>) {
        let first = self.first_by_netns.get(&inode).cloned();
        // It may have ended or left, and its pid may belong to another process.
        let is_there = |first: &FirstProcess| {
            ProcessFacts::now(first.pid)
                .is_some_and(|now| now.start() == first.start && now.netns() == Some(inode.into()))
        };
        match first.filter(is_there) {
            Some(FirstProcess { pid, comm, .. }) => (Some(pid), comm),
            None => (None, None),
        }
    }
}
