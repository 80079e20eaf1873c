//! From what the user named to a [`Target`]; and from a process to its owner.
//!
//! ```text
//! runtimes (whom to ask, where) -> source (docker, cri: the same plain data)
//!   -> inventory -> find (one by name) -> Target
//!   -> attribute (names of containers and pods)
//!   -> survey (all of them, and what is inside)
//!   -> roll_call (the runtimes themselves)
//! ```

mod attribute;
pub mod cri;
mod docker;
mod find;
mod inventory;
mod memory;
mod name;
mod namers;
mod roll_call;
mod runtimes;
mod source;
mod survey;
mod whose;

use std::path::{Path, PathBuf};

pub use attribute::{Attributor, Trail};
pub use find::FindError;
use inventory::Entry;
pub use name::TargetName;
pub use roll_call::{Absent, Answer, Present, RollCall};
pub use runtimes::{Endpoint, RuntimeChoice, Runtimes};
use source::Place;
pub use source::{Kind, Listed};
pub use survey::{Found, Network, Survey};
pub use whose::Destinations;

use crate::node::netns::{self, Netns};
use crate::node::process::{Held, ProcessError};

/// How often a container may have been started anew while it is looked up.
const ATTEMPTS: usize = 3;

/// Where connections go: a network namespace, and the process that is in it, if one is known.
#[derive(Debug)]
pub struct Target {
    netns: Netns,
    netns_file: PathBuf,
    process: Option<Held>,
    is_host_network: bool,
    runtime: Option<&'static str>,
}

impl Target {
    /// Looks the target up and holds it: from here on its pid cannot come to mean another process,
    /// nor its namespace another namespace. `namespace` is the pod's, where none is in the name.
    pub async fn find(
        name: &TargetName,
        namespace: &str,
        runtimes: &Runtimes,
    ) -> Result<Self, FindError> {
        match name {
            TargetName::Pid(pid) => Self::of_process(*pid),
            TargetName::Netns(path) => Self::of_file(path),
            TargetName::Container(name) => {
                Self::of_entry(&find::container(name, runtimes).await?).await
            }
            TargetName::Pod(name) => {
                Self::of_entry(&find::pod(name, namespace, runtimes).await?).await
            }
        }
    }

    fn of_process(pid: u32) -> Result<Self, FindError> {
        let process = Held::open(pid)?;
        let mut target = Self::of_file(&netns::file_of(pid))?;
        target.process = Some(process);
        // Had the process ended in between, the namespace could be another's.
        target.check()?;
        Ok(target)
    }

    fn of_file(path: &Path) -> Result<Self, FindError> {
        let netns = Netns::open(path);
        let netns = netns.map_err(|source| FindError::NoNetns { path: path.to_owned(), source })?;
        let netns_file = path.to_owned();
        Ok(Self { netns, netns_file, process: None, is_host_network: false, runtime: None })
    }

    /// Where that sandbox or container is. Its runtime is asked again once its process is held:
    /// had it ended in between, the pid could be another's by then.
    async fn of_entry(entry: &Entry) -> Result<Self, FindError> {
        let gone = || FindError::not_running(entry);
        let mut place = entry.place().await?.ok_or_else(gone)?;
        for _ in 0..ATTEMPTS {
            let target = Self::of_place(entry, &place);
            let now = entry.place().await?.ok_or_else(gone)?;
            if now == place {
                return target;
            }
            place = now;
        }
        Err(gone())
    }

    fn of_place(entry: &Entry, place: &Place) -> Result<Self, FindError> {
        let Place { pid, netns: path, is_host_network } = place;
        let mut target = match (pid, path) {
            (Some(pid), _) => Self::of_process(*pid)?,
            (None, Some(path)) => Self::of_file(path)?,
            (None, None) if *is_host_network => Self::of_file(&netns::host_file())?,
            (None, None) => return Err(entry.says_nothing()),
        };
        target.runtime = Some(entry.source.name());
        let inode = Some(target.netns.inode());
        if path.as_deref().and_then(netns::inode_of).is_some_and(|told| Some(told) != inode) {
            return Err(entry.contradicts_itself());
        }
        target.is_host_network = *is_host_network || inode == netns::inode_of(&netns::host_file());
        Ok(target)
    }

    /// The network namespace.
    #[must_use]
    pub fn netns(&self) -> &Netns {
        &self.netns
    }

    /// The file by which the namespace was entered.
    #[must_use]
    pub fn netns_file(&self) -> &Path {
        &self.netns_file
    }

    /// The process whose namespace is meant, if one was named.
    #[must_use]
    pub fn pid(&self) -> Option<u32> {
        self.process.as_ref().map(Held::pid)
    }

    /// Whether the pod or container that was named has the node's own network.
    #[must_use]
    pub fn is_host_network(&self) -> bool {
        self.is_host_network
    }

    /// Name of the container runtime that has it; `None` for a bare process or namespace.
    #[must_use]
    pub fn runtime(&self) -> Option<&'static str> {
        self.runtime
    }

    /// An error once the target's process has ended.
    pub fn check(&self) -> Result<(), ProcessError> {
        match &self.process {
            Some(process) if !process.is_alive() => Err(ProcessError::Gone(process.pid())),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;
    use std::sync::{Arc, Mutex};

    use super::source::{Asking, Kind, Listed, Names, Source};
    use super::*;

    /// Says where a sandbox is in these words, one after the other: what a real runtime says when
    /// something happens at just the wrong moment.
    struct Scripted(Mutex<VecDeque<Option<Place>>>);

    impl Source for Scripted {
        fn name(&self) -> &'static str {
            "scripted"
        }

        fn version(&self) -> &'static str {
            ""
        }

        fn list(&self) -> Asking<'_, Vec<Listed>> {
            Box::pin(async { Ok(Vec::new()) })
        }

        fn place<'a>(&'a self, _: &'a Listed) -> Asking<'a, Option<Place>> {
            Box::pin(async { Ok(self.0.lock().unwrap().pop_front().flatten()) })
        }

        fn names<'a>(&'a self, _: &'a str) -> Asking<'a, Option<Names>> {
            Box::pin(async { Ok(None) })
        }
    }

    fn place(pid: Option<u32>, netns: Option<&str>) -> Place {
        Place { pid, netns: netns.map(Into::into), is_host_network: false }
    }

    async fn find(answers: &[Option<Place>]) -> Result<Target, FindError> {
        let listed = Listed {
            kind: Kind::Sandbox,
            id: "0123".to_owned(),
            name: None,
            pod: None,
            is_running: true,
            state: "Ready".to_owned(),
        };
        let source = Arc::new(Scripted(Mutex::new(answers.to_vec().into())));
        Target::of_entry(&Entry { source, listed }).await
    }

    #[tokio::test]
    async fn a_sandbox_that_ends_while_it_is_looked_up_is_not_entered() {
        let own = std::process::id();
        let here = || Some(place(Some(own), None));
        let nobody = || Some(place(Some(1 << 30), None));
        assert_eq!(find(&[here(), here()]).await.unwrap().pid(), Some(own));
        let ended = find(&[here(), None]).await.unwrap_err();
        assert!(matches!(ended, FindError::PodNotRunning(status) if status == "NotReady"));
        // Its pid is nobody's; then its runtime knows better.
        assert_eq!(find(&[nobody(), here(), here()]).await.unwrap().pid(), Some(own));
        let gone = find(&[nobody(), nobody()]).await.unwrap_err();
        assert!(matches!(gone, FindError::Process(ProcessError::NotFound(_))), "{gone}");
    }

    #[tokio::test]
    async fn a_pid_in_another_namespace_than_the_runtime_tells_is_not_entered() {
        let at = |path| Some(place(Some(std::process::id()), Some(path)));
        assert!(find(&[at("/proc/self/ns/net"), at("/proc/self/ns/net")]).await.is_ok());
        // Not to be seen from here: a plain file.
        assert!(find(&[at("/proc/self/comm"), at("/proc/self/comm")]).await.is_ok());
        let error = find(&[at("/proc/self/ns/uts"), at("/proc/self/ns/uts")]).await.unwrap_err();
        assert!(error.to_string().contains("scripted does not say where 0123 runs"), "{error}");
    }

    #[tokio::test]
    async fn a_namespace_without_a_process_is_enough() {
        let by_file = Some(place(None, Some("/proc/self/ns/net")));
        assert_eq!(find(&[by_file.clone(), by_file]).await.unwrap().pid(), None);
        let nodes_own = Some(Place { is_host_network: true, ..place(None, None) });
        assert!(find(&[nodes_own.clone(), nodes_own]).await.unwrap().is_host_network());
        let nowhere = Some(place(None, None));
        let error = find(&[nowhere.clone(), nowhere]).await.unwrap_err();
        assert!(error.to_string().contains("neither a pid nor a network namespace"), "{error}");
    }
}
