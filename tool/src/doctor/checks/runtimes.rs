//! The container runtimes: whether each answers, and how it forwards.

use crate::doctor::node::{CheckFuture, Node};
use crate::model::Finding;
use crate::model::ForwardingMode;
use crate::model::Severity::{Fail, Note, Warn};
use crate::runtime::{RuntimeAnswer, RuntimeDetails, RuntimeStatus, Silence};

const CHECK: &str = "runtime";
const WHY: &str = "the container runtime decides how a port-forward enters its pods";
const WHY_SILENT: &str =
    "pfsnoop cannot find or name the pods and containers of a runtime that does not answer";

/// Asks every runtime.
pub(super) fn check(node: &Node) -> CheckFuture<'_> {
    Box::pin(async { findings(&RuntimeStatus::query(&node.runtimes).await) })
}

fn findings(status: &RuntimeStatus) -> Vec<Finding> {
    if status.answers.is_empty() {
        let addresses = status.addresses.join(", ");
        let what = format!("no container runtime was found: nothing listens at {addresses}");
        let other = "pfsnoop doctor --runtime-endpoint unix:///PATH/OF/THE/RUNTIME.sock";
        let fix = status.start.as_deref().unwrap_or(other);
        return vec![Finding::new(Warn, CHECK, what, WHY_SILENT).fix(fix)];
    }
    status.answers.iter().map(finding).collect()
}

fn finding(answer: &RuntimeAnswer) -> Finding {
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
            let pods = counted(*pods, "pod");
            let containers = counted(*containers, "container");
            let what = format!("{runtime} is {version}, with {pods} and {containers}");
            Finding::ok(CHECK, format!("{what}; {mode}"), WHY)
        }
        Ok(None) => {
            let what = format!("{runtime} serves no pods: its CRI plugin is disabled");
            Finding::new(Note, CHECK, what, "this is correct where only Docker uses the runtime")
        }
        Err(Silence { why, is_hanging }) => {
            // A socket at which nothing listens may be left over from a removed runtime.
            let severity = if *is_named || *is_hanging { Fail } else { Warn };
            let what = format!("{runtime} does not answer: {why}");
            Finding::new(severity, CHECK, what, WHY_SILENT).fix(restart.clone())
        }
    }
}

fn counted(count: usize, noun: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {noun}{plural}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn what(pods: usize, containers: usize) -> String {
        let details = RuntimeDetails {
            version: "1.7".to_owned(),
            pods,
            containers,
            mode: ForwardingMode::Native,
        };
        let answer = RuntimeAnswer {
            runtime: "containerd".to_owned(),
            is_named: false,
            restart: String::new(),
            details: Ok(Some(details)),
        };
        finding(&answer).what
    }

    #[test]
    fn one_is_not_many() {
        assert!(what(1, 0).contains("with 1 pod and 0 containers;"), "{}", what(1, 0));
        assert!(what(2, 1).contains("with 2 pods and 1 container;"), "{}", what(2, 1));
    }
}
