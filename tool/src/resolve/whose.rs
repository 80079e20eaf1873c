//! Whose a network namespace is that somebody enters: looked up once, and remembered.

use super::memory::Memory;
use super::{Attributor, Runtimes};
use crate::node::process::{netns_of, start_of};
use crate::trace::{Destination, Owner, Whom};

/// Finds destinations. One is enough for a command.
pub struct Destinations {
    attributor: Attributor,
    /// By network namespace: a process that had it when we looked, and whose it is.
    by_netns: Memory<u32, (u32, Owner)>,
    /// By pid: when the process started, and what was known of it when it was there.
    by_pid: Memory<u32, (u64, Destination)>,
}

impl Destinations {
    /// Asks those runtimes that answer.
    pub async fn new(runtimes: &Runtimes) -> Self {
        Self::by(Attributor::new(runtimes).await)
    }

    /// Asks no runtime for names, and so waits for none.
    #[must_use]
    pub fn without_runtimes() -> Self {
        Self::by(Attributor::without_runtimes())
    }

    fn by(attributor: Attributor) -> Self {
        Self { attributor, by_netns: Memory::new(), by_pid: Memory::new() }
    }

    /// The destination, as far as it is known. Of a process that has ended, what was known of it.
    pub async fn find(&mut self, whom: Whom) -> Destination {
        match whom {
            Whom::Pid(pid) => self.of_process(pid).await,
            Whom::Netns(netns) => self.of_netns(netns).await,
        }
    }

    /// Whether the process can be entered now: one that waits to be reaped cannot.
    #[must_use]
    pub fn is_there(pid: u32) -> bool {
        netns_of(pid).is_ok()
    }

    async fn of_process(&mut self, pid: u32) -> Destination {
        let start = start_of(pid);
        let Some(netns) = netns_of(pid).ok().and_then(|netns| u32::try_from(netns).ok()) else {
            return self.of_ended(pid, start);
        };
        let owner = if let Some((_, owner)) = self.remembered(netns) {
            owner
        } else {
            let trail = Attributor::trail_of_process(pid);
            let owner = self.attributor.owner(trail).await;
            self.remember(netns, pid, &owner);
            owner
        };
        let destination = Destination { pid: Some(pid), netns: Some(netns.into()), owner };
        if let Some(start) = start {
            self.by_pid.keep(pid, Some((start, destination.clone())));
        }
        destination
    }

    /// What was known of a process that has ended, unless the pid has been another's since.
    fn of_ended(&mut self, pid: u32, start: Option<u64>) -> Destination {
        let is_it = |known: u64| start.is_none_or(|start| start == known);
        match self.by_pid.get(&pid) {
            Some((known, destination)) if is_it(*known) => destination.clone(),
            _ => {
                self.by_pid.forget(&pid);
                Destination { pid: Some(pid), ..Destination::default() }
            }
        }
    }

    async fn of_netns(&mut self, netns: u32) -> Destination {
        if let Some((pid, owner)) = self.remembered(netns) {
            return Destination { pid: Some(pid), netns: Some(netns.into()), owner };
        }
        let (pid, trail) = self.attributor.trail_of_netns(netns);
        let owner = self.attributor.owner(trail).await;
        if let Some(pid) = pid {
            self.remember(netns, pid, &owner);
        }
        Destination { pid, netns: Some(netns.into()), owner }
    }

    /// What is known, while the process is still there: the inode may be another namespace's by now.
    fn remembered(&self, netns: u32) -> Option<(u32, Owner)> {
        let (pid, owner) = self.by_netns.get(&netns)?;
        (netns_of(*pid).ok() == Some(netns.into())).then(|| (*pid, owner.clone()))
    }

    /// The node's own namespace is shared by many, and a nameless owner may yet get a name.
    fn remember(&mut self, netns: u32, pid: u32, owner: &Owner) {
        let has_name = owner.pod.is_some()
            || owner.container.as_ref().is_some_and(|container| container.name.is_some());
        if self.attributor.is_hosts(netns) || !has_name {
            return;
        }
        self.by_netns.keep(netns, Some((pid, owner.clone())));
    }
}
