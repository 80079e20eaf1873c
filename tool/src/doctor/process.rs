//! The processes of a target: whether they can answer.

use super::facts::held::{Freezers, FrozenCgroup, Hold};
use super::not_found::WHY_PROCESS;
use crate::host::cgroup::of_path;
use crate::host::process::{ProcessFacts, processes_in_netns};
use crate::model::Finding;
use crate::model::Severity::{self, Fail, Note, Warn};
use crate::output::{operand, quoted};
use crate::target::{Target, TargetName};

const CHECK: &str = "target.process";

const WHY_HELD: &str = "the kernel accepts connections for a process that is held, and nothing \
                        answers them";

/// How many held processes are reported.
const MAX_HELD: usize = 8;

/// Checks the process of the target, and the other processes in its network namespace.
pub(super) fn processes(target: &Target, name: &TargetName) -> Vec<Finding> {
    let freezers = Freezers::of_this_node();
    let mut findings = Vec::new();
    match target.pid() {
        None => {
            let what = "no process of the target is known: only the native dialer can reach it";
            findings.push(Finding::new(Note, CHECK, what, WHY_PROCESS));
        }
        Some(pid) => match freezers.hold_of(pid) {
            None => {
                let what = format!("its process {pid} is alive");
                findings.push(Finding::ok(CHECK, what, WHY_PROCESS));
            }
            // The process of a pod only holds its namespaces.
            Some(hold) => {
                let severity = if is_pod(name) && hold == Hold::Stopped { Warn } else { Fail };
                findings.push(held(target, pid, &hold, severity));
            }
        },
    }
    if !target.is_host_network() {
        findings.extend(others(target, &freezers));
    }
    findings
}

fn is_pod(name: &TargetName) -> bool {
    matches!(name, TargetName::Pod(_) | TargetName::PodIn { .. })
}

/// Findings about held processes in the namespace, one for each frozen cgroup.
fn others(target: &Target, freezers: &Freezers) -> Vec<Finding> {
    let own = target.pid();
    let mut seen: Vec<FrozenCgroup> = Vec::new();
    if let Some(Hold::Frozen(frozen)) = own.and_then(|pid| freezers.hold_of(pid)) {
        seen.push(frozen);
    }
    let all = processes_in_netns(target.netns().inode()).map(|process| process.pid());
    let all = all.filter(|&pid| Some(pid) != own);
    let held = all.filter_map(|pid| {
        let hold = freezers.hold_of(pid)?;
        let severity = match &hold {
            Hold::Frozen(frozen) if seen.contains(frozen) => return None,
            Hold::Frozen(frozen) => {
                seen.push(frozen.clone());
                Fail
            }
            // It may be a job of a shell.
            Hold::Stopped => Warn,
        };
        Some(held(target, pid, &hold, severity))
    });
    held.take(MAX_HELD).collect()
}

fn held(target: &Target, pid: u32, hold: &Hold, severity: Severity) -> Finding {
    let comm = ProcessFacts::now(pid).and_then(|process| process.comm()).unwrap_or_default();
    let process = format!("process {pid} ({})", String::from_utf8_lossy(&comm));
    let (what, fix) = match hold {
        Hold::Stopped => (format!("{process} is stopped by a signal"), format!("kill -CONT {pid}")),
        Hold::Frozen(frozen) => {
            let (who, fix) = frozen_by(target, frozen);
            (format!("{process} is frozen: {who}"), fix)
        }
    };
    Finding::new(severity, CHECK, what, WHY_HELD).fix(fix)
}

/// What is frozen, and the command that ends that: the runtime's, for the cgroup of a container.
fn frozen_by(target: &Target, frozen: &FrozenCgroup) -> (String, String) {
    let dir = frozen.dir.to_string_lossy();
    let last = dir.rsplit('/').next().unwrap_or_default();
    let container = of_path(&dir).container.filter(|one| last.contains(&one.id));
    let thaw = || {
        let (value, file) = frozen.thaw();
        format!("echo {value} > {}", quoted(&file.to_string_lossy()))
    };
    let Some(container) = container else {
        return (format!("its cgroup {dir} is"), thaw());
    };
    let id = &container.id;
    let short = id.get(..12).unwrap_or(id);
    let by_path = Some(container.runtime).filter(|name| *name != "unknown");
    let runtime = by_path.or(target.runtime().map(|runtime| runtime.name));
    let fix = match runtime {
        Some("containerd") if last.starts_with("nerdctl-") => {
            format!("nerdctl unpause {}", operand(short))
        }
        Some("containerd") => format!("ctr --namespace k8s.io tasks resume {}", operand(id)),
        Some(name @ ("docker" | "podman")) => format!("{name} unpause {}", operand(short)),
        // crictl has no command for it.
        _ => thaw(),
    };
    (format!("its container {short} is paused"), fix)
}
