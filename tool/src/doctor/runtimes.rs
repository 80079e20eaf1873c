//! The container runtimes: who answers, and which road each takes.

use super::checks::{Checking, Node};
use crate::model::Finding;
use crate::model::ForwardingMode;
use crate::model::Severity::{Fail, Note, Warn};
use crate::runtime::{RuntimeAnswer, RuntimeDetails, RuntimeStatus, Silence};

const CHECK: &str = "runtime";
const WHY: &str = "who runs the pods decides how a port-forward gets into them";
const WHY_SILENT: &str = "pods and containers of a runtime that says nothing cannot be named";

/// Asks every runtime.
pub(super) fn check(node: &Node) -> Checking<'_> {
    Box::pin(async { judge_all(&RuntimeStatus::query(&node.runtimes).await) })
}

fn judge_all(status: &RuntimeStatus) -> Vec<Finding> {
    if status.answers.is_empty() {
        let addresses = status.addresses.join(", ");
        let what = format!("no container runtime is here: nothing listens at {addresses}");
        return vec![
            Finding::new(Warn, CHECK, what, WHY_SILENT)
                .fix("pfsnoop doctor --runtime-endpoint unix:///PATH/OF/THE/RUNTIME.sock"),
        ];
    }
    status.answers.iter().map(judge).collect()
}

fn judge(answer: &RuntimeAnswer) -> Finding {
    let RuntimeAnswer { runtime, is_named, restart, details } = answer;
    match details {
        Ok(Some(RuntimeDetails { version, pods, containers, mode })) => {
            let mode = match mode {
                ForwardingMode::Helpers => "a kubelet forwards to its pods by nsenter and socat",
                ForwardingMode::Native => {
                    "it forwards natively, and needs neither nsenter nor socat"
                }
                ForwardingMode::None => "no kubelet forwards through it",
            };
            let what =
                format!("{runtime} is {version}, with {pods} pods and {containers} containers");
            Finding::ok(CHECK, format!("{what}; {mode}"), WHY)
        }
        Ok(None) => {
            let what = format!("{runtime} serves no pods: its CRI plugin is disabled");
            Finding::new(Note, CHECK, what, "that is right where Docker alone uses it")
        }
        Err(Silence { why, is_hanging }) => {
            // A socket where nothing listens may be all that is left of a runtime.
            let severity = if *is_named || *is_hanging { Fail } else { Warn };
            let what = format!("{runtime} does not answer: {why}");
            Finding::new(severity, CHECK, what, WHY_SILENT).fix(restart.clone())
        }
    }
}
