//! A target that does not exist or does not run.

use crate::host::process::ProcessError;
use crate::model::Finding;
use crate::model::Severity::Fail;
use crate::target::{FindError, TargetName};

pub(super) const WHY_FOUND: &str = "a forward first asks the container runtime where the pod is";
const WHY_RUNNING: &str = "a pod's namespaces are gone once its sandbox has ended";
pub(super) const WHY_PROCESS: &str = "nsenter enters the network namespace of this process";

/// The finding for a target that cannot be found. A fix names the target by `target_args`.
pub(super) fn not_found(error: FindError, name: &TargetName, target_args: &str) -> Finding {
    let targets = || "pfsnoop targets".to_owned();
    let (check, why, fix) = match &error {
        FindError::PodNotRunning { start, .. } => {
            let is_pod = matches!(name, TargetName::Pod(_) | TargetName::PodIn { .. });
            let describe = || format!("kubectl describe pod {target_args}");
            let other = || if is_pod { describe() } else { targets() };
            ("target.running", WHY_RUNNING, start.clone().unwrap_or_else(other))
        }
        FindError::ContainerNotRunning { start, .. } => {
            ("target.running", WHY_RUNNING, start.clone())
        }
        FindError::Process(ProcessError::Unreadable { .. }) => {
            ("target.process", WHY_PROCESS, format!("sudo pfsnoop doctor {target_args}"))
        }
        FindError::Process(_) => ("target.process", WHY_PROCESS, targets()),
        FindError::NoRuntime { .. } => ("target.found", WHY_FOUND, "pfsnoop doctor".to_owned()),
        _ => ("target.found", WHY_FOUND, targets()),
    };
    let what = format!("{:#}", anyhow::Error::from(error));
    Finding::new(Fail, check, what, why).fix(fix)
}
