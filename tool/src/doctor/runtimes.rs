//! The container runtimes: who answers, and which road each takes.

use super::Finding;
use super::Severity::{Fail, Note, Warn};
use crate::resolve::{Absent, Answer, Present, RollCall};

const CHECK: &str = "runtime";
const WHY: &str = "who runs the pods decides how a port-forward gets into them";
const WHY_SILENT: &str = "pods and containers of a runtime that says nothing cannot be named";

/// How a runtime's pods are forwarded to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Road {
    /// By nsenter and socat, which cri-dockerd spawns.
    Helpers,
    /// By the runtime itself, from a thread inside the pod.
    Native,
    /// No kubelet asks it.
    None,
}

/// containerd dropped socat in 1.4, CRI-O in 1.19.
pub(super) fn road_of(runtime: &str) -> Road {
    match runtime {
        "containerd" | "cri-o" => Road::Native,
        "docker" => Road::Helpers,
        _ => Road::None,
    }
}

/// Judges what they said.
#[must_use]
pub fn runtimes(call: &RollCall) -> Vec<Finding> {
    if call.answers.is_empty() {
        let places = call.addresses.join(", ");
        let what = format!("no container runtime is here: nobody listens at {places}");
        return vec![
            Finding::new(Warn, CHECK, what, WHY_SILENT)
                .cure("pfsnoop doctor --runtime-endpoint unix:///PATH/OF/THE/RUNTIME.sock"),
        ];
    }
    call.answers.iter().map(judge).collect()
}

fn judge(Answer { whom, is_named, present }: &Answer) -> Finding {
    match present {
        Ok(Some(Present { name, version, pods, containers })) => {
            let road = match road_of(name) {
                Road::Helpers => "a kubelet forwards to its pods by nsenter and socat",
                Road::Native => "it forwards natively, and needs neither nsenter nor socat",
                Road::None => "no kubelet forwards by it",
            };
            let what = format!("{whom} is {version}, with {pods} pods and {containers} containers");
            Finding::ok(CHECK, format!("{what}; {road}"), WHY)
        }
        Ok(None) => {
            let what = format!("{whom} serves no pods: its CRI plugin is disabled");
            Finding::new(Note, CHECK, what, "that is right where Docker alone uses it")
        }
        Err(Absent { why, is_silent }) => {
            // A socket where nobody listens may be all that is left of a runtime.
            let severity = if *is_named || *is_silent { Fail } else { Warn };
            let what = format!("{whom} does not answer: {why}");
            Finding::new(severity, CHECK, what, WHY_SILENT).cure(restart(whom))
        }
    }
}

/// A runtime's unit, by its socket's name.
fn restart(whom: &str) -> String {
    let units = [("k3s", "k3s"), ("crio", "crio"), ("podman", "podman.socket")];
    let usual = if whom.starts_with("docker") { "docker" } else { "containerd" };
    let unit = units.iter().find(|(part, _)| whom.contains(part)).map_or(usual, |(_, unit)| unit);
    format!("systemctl restart {unit}")
}
