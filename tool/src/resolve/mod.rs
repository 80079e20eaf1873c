//! From what the user named to a [`Target`]; and from a process to its owner.

mod attribute;
mod docker;
mod find;
mod name;

use std::path::Path;

pub use attribute::{Attributor, Trail};
pub use find::FindError;
pub use name::TargetName;

use crate::node::netns::Netns;
use crate::node::process::{Held, ProcessError};

/// Where connections go: a network namespace, and the process that is in it, if one is known.
#[derive(Debug)]
pub struct Target {
    netns: Netns,
    process: Option<Held>,
}

impl Target {
    /// Looks the target up and holds it: from here on its pid cannot come to mean another process,
    /// nor its namespace another namespace. `namespace` is the pod's, where none is in the name.
    pub async fn find(name: &TargetName, namespace: &str) -> Result<Self, FindError> {
        match name {
            TargetName::Pid(pid) => Self::of_process(*pid),
            TargetName::Netns(path) => {
                let netns = Netns::open(path);
                let path = path.clone();
                let netns = netns.map_err(|source| FindError::NoNetns { path, source })?;
                Ok(Self { netns, process: None })
            }
            TargetName::Container(name) => Self::of_process(find::container(name).await?),
            TargetName::Pod(name) => Self::of_process(find::pod(name, namespace).await?),
        }
    }

    fn of_process(pid: u32) -> Result<Self, FindError> {
        let process = Held::open(pid)?;
        let path = Path::new("/proc").join(pid.to_string()).join("ns/net");
        let netns = Netns::open(&path).map_err(|source| FindError::NoNetns { path, source })?;
        let target = Self { netns, process: Some(process) };
        // Had the process ended in between, the namespace could be another's.
        target.check()?;
        Ok(target)
    }

    /// The network namespace.
    #[must_use]
    pub fn netns(&self) -> &Netns {
        &self.netns
    }

    /// The process whose namespace is meant, if one was named.
    #[must_use]
    pub fn pid(&self) -> Option<u32> {
        self.process.as_ref().map(Held::pid)
    }

    /// An error once the target's process has ended.
    pub fn check(&self) -> Result<(), ProcessError> {
        match &self.process {
            Some(process) if !process.is_alive() => Err(ProcessError::Gone(process.pid())),
            _ => Ok(()),
        }
    }
}
