//! A target that is not there, or does not run.

use super::shell::quoted;
use crate::host::process::ProcessError;
use crate::model::Finding;
use crate::model::Severity::Fail;
use crate::target::{FindError, TargetName};

const WHY_FOUND: &str = "a forward begins with the runtime's word for where the pod is";
const WHY_RUNNING: &str = "the namespaces of a pod are gone once its sandbox has ended";
const WHY_PROCESS: &str = "nsenter enters the pod's network by this process";

/// How the target is called in a command.
pub(super) fn in_command(name: &TargetName, namespace: &str) -> String {
    match name {
        TargetName::Pod(name) if namespace == "default" => quoted(name),
        TargetName::Pod(name) => format!("{} -n {}", quoted(name), quoted(namespace)),
        TargetName::Container(name) => quoted(&format!("container/{name}")),
        TargetName::Pid(pid) => format!("pid/{pid}"),
        TargetName::Netns(path) => quoted(&format!("netns/{}", path.display())),
    }
}

/// Says why; `command` is the target as it is called in one.
pub(super) fn not_found(error: FindError, name: &TargetName, command: &str) -> Finding {
    let targets = || "pfsnoop targets".to_owned();
    let (check, why, fix) = match &error {
        FindError::PodNotRunning(_) => {
            let is_pod = matches!(name, TargetName::Pod(_));
            let describe = || format!("kubectl describe pod {command}");
            ("target.running", WHY_RUNNING, if is_pod { describe() } else { targets() })
        }
        FindError::ContainerNotRunning { start, .. } => {
            ("target.running", WHY_RUNNING, start.clone())
        }
        FindError::Process(ProcessError::Unreadable { .. }) => {
            ("target.process", WHY_PROCESS, format!("sudo pfsnoop doctor {command}"))
        }
        FindError::Process(_) => ("target.process", WHY_PROCESS, targets()),
        FindError::NoRuntime { .. } => ("target.found", WHY_FOUND, "pfsnoop doctor".to_owned()),
        _ => ("target.found", WHY_FOUND, targets()),
    };
    let what = format!("{:#}", anyhow::Error::from(error));
    Finding::new(Fail, check, what, why).fix(fix)
}
