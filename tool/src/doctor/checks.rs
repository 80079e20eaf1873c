//! The doctor's checks, in order. A group of checks is one file in `checks/`, and here its `mod`
//! line and its line in the list. A check of whether the kernel programs can run is in `kernel`. A check of a
//! setting that can run out is in `limits`.

mod helpers;
mod kernel;
mod kernel_fix;
mod leftovers;
mod limits;
mod runtimes;

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use super::facts::distribution::Packages;
use super::facts::inspector::Inspector;
use super::facts::running::running;
use super::node::{CheckFuture, Node};
use super::target::{TargetOptions, check_target};
use crate::model::Finding;
use crate::runtime::Runtimes;
use crate::target::TargetName;

/// The checks of the node: one line for each group.
const NODE_CHECKS: [Check; 5] =
    [kernel::check, runtimes::check, helpers::check, leftovers::check, limits::check];

/// A group of checks of the node.
type Check = for<'a> fn(&'a Node) -> CheckFuture<'a>;

/// What to check.
#[derive(Debug)]
pub struct DoctorOptions {
    /// The target to check. `None` checks the node.
    pub target: Option<TargetName>,
    /// Namespace of the target's pod. `None`: the default of its runtime.
    pub namespace: Option<String>,
    /// Ports inside the target. If empty, the first 8 on which something listens.
    pub ports: Vec<u16>,
    /// The container runtimes to ask.
    pub runtimes: Runtimes,
    /// A socat that has moved no bytes for this long counts as left behind.
    pub idle: Duration,
    /// The store of the agent, if there is one.
    pub store: PathBuf,
    /// nsenter and socat may be programs that other users can replace.
    pub trust_path: bool,
}

/// Runs the checks, and reports the findings of each group as soon as they are known.
///
/// Must be called within a tokio runtime.
pub async fn check(
    options: &DoctorOptions,
    report: &mut dyn FnMut(Vec<Finding>) -> io::Result<()>,
) -> io::Result<()> {
    let DoctorOptions { target, namespace, ports, runtimes, idle, store, trust_path } = options;
    if let Some(name) = target {
        let (namespace, trust_path) = (namespace.as_deref(), *trust_path);
        let options = TargetOptions { name, namespace, runtimes, ports, store, trust_path };
        return report(check_target(&options).await);
    }
    let mut inspector = Inspector::default();
    let node = Node {
        runtimes: runtimes.clone(),
        idle: *idle,
        packages: Packages::of_this_node(),
        daemons: running(&mut inspector).await,
        inspector: inspector.into(),
    };
    for check in NODE_CHECKS {
        report(check(&node).await)?;
    }
    Ok(())
}
