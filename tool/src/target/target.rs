//! The target of connections.

use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::time::sleep;

use super::ended::TargetEnded;
use super::error::FindError;
use super::find;
use super::identity::Identity;
use super::name::TargetName;
use crate::host::cgroup;
use crate::host::netns::{self, Netns};
use crate::host::process::{ProcessError, ProcessFacts, ProcessHandle};
use crate::model::{Destination, ForwardingMode};
use crate::runtime::{IndexEntry, Place, Runtimes};

/// How often a container may be restarted while it is looked up.
const MAX_ATTEMPTS: usize = 3;

/// How often the file of a namespace without a process is checked.
const FILE_CHECK_INTERVAL: Duration = Duration::from_secs(1);

/// A network namespace that is held, and the process inside it, if one is known.
#[derive(Debug)]
pub struct Target {
    netns: Netns,
    netns_file: PathBuf,
    process: Option<ProcessHandle>,
    is_host_network: bool,
    has_our_network: bool,
    /// The addresses that the runtime reports.
    reported: Vec<IpAddr>,
    runtime: Option<RuntimeInfo>,
    identity: Option<Identity>,
}

/// The container runtime that has a target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RuntimeInfo {
    /// Its name.
    pub name: &'static str,
    /// How a kubelet forwards into its pods.
    pub mode: ForwardingMode,
}

impl Target {
    /// Looks up the target and holds it: a later process with its pid, or a later namespace with
    /// its inode, is never taken for it. `namespace` is the namespace of a
    /// pod; without one, each runtime's default.
    pub async fn find(
        name: &TargetName,
        namespace: Option<&str>,
        runtimes: &Runtimes,
    ) -> Result<Self, FindError> {
        match name {
            TargetName::Pid(pid) => Self::of_process(*pid),
            TargetName::Netns(path) => Self::of_file(path),
            TargetName::Container(name) => {
                let entry = find::container(name, runtimes).await?;
                let is_by_id = entry.info.name.as_ref() != Some(name);
                Self::of_identity(&entry, Identity::new(&entry, is_by_id)).await
            }
            TargetName::Pod(name) => {
                let entry = find::pod(name, namespace, runtimes).await?;
                Self::of_identity(&entry, Identity::new(&entry, false)).await
            }
            TargetName::PodIn { namespace, name } => {
                Self::of_entry(&find::pod(name, Some(namespace), runtimes).await?).await
            }
        }
    }

    /// Looks up what runs in its place once it has ended. Fails while nothing does, and for a bare
    /// process or namespace, which nothing replaces.
    pub async fn find_again(&self, runtimes: &Runtimes) -> Result<Self, FindError> {
        let Some(before) = &self.identity else {
            return Err(ProcessError::Gone(self.pid().unwrap_or_default()).into());
        };
        let entry = find::again(before, runtimes).await?;
        let target = Self::of_identity(&entry, before.of_later(&entry)).await?;
        // A runtime that has not noticed the end still reports the pid. Meanwhile, another process
        // may have got it.
        if let Some(pid) = target.pid()
            && Some(pid) == self.pid()
            && !is_in_container(pid, &entry.info.id)
        {
            return Err(ProcessError::Gone(pid).into());
        }
        Ok(target)
    }

    async fn of_identity(entry: &IndexEntry, identity: Identity) -> Result<Self, FindError> {
        let target = Self::of_entry(entry).await?;
        Ok(Self { identity: Some(identity), ..target })
    }

    fn of_process(pid: u32) -> Result<Self, FindError> {
        let process = ProcessHandle::open(pid)?;
        let mut target = Self::of_file(&netns::file_of(pid))?;
        // If the process has ended in between, the namespace may be another process's.
        if !process.is_alive() {
            return Err(ProcessError::Gone(pid).into());
        }
        target.process = Some(process);
        Ok(target)
    }

    fn of_file(path: &Path) -> Result<Self, FindError> {
        let netns = Netns::open(path);
        let netns = netns.map_err(|source| FindError::NoNetns { path: path.to_owned(), source })?;
        let is_host_network = netns::is_host(netns.inode());
        let netns_file = path.to_owned();
        let has_our_network = netns::is_ours(netns.inode());
        Ok(Self {
            netns,
            netns_file,
            process: None,
            is_host_network,
            has_our_network,
            reported: Vec::new(),
            runtime: None,
            identity: None,
        })
    }

    /// The target of a sandbox or container. Its runtime is asked again once the process is held:
    /// if the process has ended in between, its pid may be another process's.
    pub async fn of_entry(entry: &IndexEntry) -> Result<Self, FindError> {
        let place = async || match entry.place().await {
            Ok(place) => place.ok_or_else(|| FindError::not_running(entry)),
            Err(error) => Err(FindError::no_place(entry, &error)),
        };
        let mut before = place().await?;
        for _ in 0..MAX_ATTEMPTS {
            let target = Self::of_place(entry, &before);
            let now = place().await?;
            if now == before {
                return target;
            }
            before = now;
        }
        Err(FindError::not_running(entry))
    }

    fn of_place(entry: &IndexEntry, place: &Place) -> Result<Self, FindError> {
        let Place { pid, netns: path, is_host_network, addresses } = place;
        let mut target = match (pid, path) {
            (Some(pid), _) => Self::of_process(*pid)?,
            (None, Some(path)) => Self::of_file(path)?,
            (None, None) if *is_host_network => Self::of_file(&netns::host_file())?,
            (None, None) => {
                let why = "its status has neither a pid nor a network namespace";
                return Err(FindError::no_answer(entry, why.to_owned()));
            }
        };
        let client = &entry.client;
        target.runtime = Some(RuntimeInfo { name: client.name(), mode: client.forwarding_mode() });
        let reported = path.as_deref().and_then(netns::inode_of);
        if reported.is_some_and(|reported| reported != target.netns.inode()) {
            let why = "its process is in another network namespace than its status says";
            return Err(FindError::no_answer(entry, why.to_owned()));
        }
        target.is_host_network |= is_host_network;
        target.reported.clone_from(addresses);
        Ok(target)
    }

    /// The network namespace.
    #[must_use]
    pub fn netns(&self) -> &Netns {
        &self.netns
    }

    /// The file through which the namespace was opened.
    #[must_use]
    pub fn netns_file(&self) -> &Path {
        &self.netns_file
    }

    /// The process inside the namespace, if one is known.
    #[must_use]
    pub fn pid(&self) -> Option<u32> {
        self.process.as_ref().map(ProcessHandle::pid)
    }

    /// Whether it has the node's own network.
    #[must_use]
    pub fn is_host_network(&self) -> bool {
        self.is_host_network
    }

    /// Whether it has the network in which pfsnoop listens.
    #[must_use]
    pub fn has_our_network(&self) -> bool {
        self.has_our_network
    }

    /// The addresses, beyond localhost, at which only the target itself answers.
    ///
    /// In the node's own network there is none: an interface of the node may have addresses that
    /// lead to other pods. kube-proxy in IPVS mode gives each service's address to `kube-ipvs0`.
    /// Elsewhere, the runtime knows the addresses. Where it does not, those of the namespace's
    /// interfaces count.
    pub async fn own_addresses(&self) -> Vec<IpAddr> {
        if self.is_host_network {
            return Vec::new();
        }
        if self.reported.is_empty() {
            return self.netns.addresses().await.unwrap_or_default();
        }
        self.reported.clone()
    }

    /// The container runtime that has it; `None` for a bare process or namespace.
    #[must_use]
    pub fn runtime(&self) -> Option<RuntimeInfo> {
        self.runtime
    }

    /// What it is by name; `None` for a bare process or namespace.
    #[must_use]
    pub fn identity(&self) -> Option<&Identity> {
        self.identity.as_ref()
    }

    /// Where connections to it lead, without the names of its owner.
    #[must_use]
    pub fn destination(&self) -> Destination {
        Destination { pid: self.pid(), netns: Some(self.netns.inode()), ..Destination::default() }
    }

    /// An error once the target's process has ended or, without a process, once its file no longer
    /// leads to the namespace.
    pub fn check(&self) -> Result<(), TargetEnded> {
        match &self.process {
            Some(process) if process.is_alive() => Ok(()),
            Some(process) => Err(ProcessError::Gone(process.pid()).into()),
            None if netns::inode_of(&self.netns_file) == Some(self.netns.inode()) => Ok(()),
            None => Err(TargetEnded::Netns(self.netns_file.clone())),
        }
    }

    /// Waits until [`check`](Self::check) fails.
    pub async fn ended(&self) -> TargetEnded {
        loop {
            if let Err(ended) = self.check() {
                return ended;
            }
            match &self.process {
                Some(process) => process.ended().await,
                None => sleep(FILE_CHECK_INTERVAL).await,
            }
        }
    }
}

/// Whether the cgroup of a process names this container.
fn is_in_container(pid: u32, id: &str) -> bool {
    let process = ProcessFacts::now(pid);
    let placement = process.and_then(|process| cgroup::placement_of(&process));
    placement.is_some_and(|placement| placement.container_id() == Some(id))
}
