//! The ports of a target: what listens on each, and a connection to each with each dialer.

use std::time::Instant;

use super::dial::{DialCheck, Dialing};
use super::listening::{self, ListeningTarget, listening};
use super::open_ports;
use super::shell::nsenter_options;
use crate::model::Severity::{Fail, Note, Warn};
use crate::model::{Finding, ForwardingMode};
use crate::target::Target;

/// How many ports are checked when the user names none.
const MAX_PORTS: usize = 8;

const WHY: &str = "a connection is accepted only where a process listens";
const WHY_MORE: &str =
    "a target in the node's network namespace has every port that listens on the node";

/// Checks these ports of the target. If none is given, the first [`MAX_PORTS`] on which something
/// listens.
pub(super) async fn check_ports(
    target: &Target,
    target_args: &str,
    dialing: &Dialing<'_>,
    ports: &[u16],
) -> Vec<Finding> {
    let start = Instant::now();
    let listeners = match target.netns().listeners().await {
        Ok(listeners) => listeners,
        Err(error) => {
            let what = format!("cannot list the listening sockets inside the target: {error}");
            let finding = Finding::new(Fail, listening::CHECK, what, WHY);
            return vec![finding.fix("pfsnoop doctor --verbose")];
        }
    };
    let took = start.elapsed();
    let mut findings = Vec::new();
    let mut ports = ports.to_vec();
    if ports.is_empty() {
        ports = open_ports::ports(&listeners);
        findings.extend(limit(&mut ports));
    }
    if ports.is_empty() {
        let what = "nothing listens inside the target";
        let again =
            format!("pfsnoop doctor {target_args}   # again, once the application has started");
        return vec![Finding::new(Warn, listening::CHECK, what, WHY).fix(again).took(took)];
    }
    let mode = target.runtime().map_or(ForwardingMode::Helpers, |runtime| runtime.mode);
    let mut dial = DialCheck::new(target, target_args, mode, dialing);
    let (enter, own_addresses) = (nsenter_options(target), target.own_addresses().await);
    let listening_target = ListeningTarget {
        listeners: &listeners,
        own_addresses: &own_addresses,
        mode,
        target_args,
        nsenter_options: &enter,
    };
    for port in ports {
        let finding = listening(&listening_target, port).took(took);
        findings.extend(dial.connect(port, finding).await);
    }
    findings
}

/// Drops the ports above the limit, and says so.
fn limit(ports: &mut Vec<u16>) -> Option<Finding> {
    let all = ports.len();
    ports.truncate(MAX_PORTS);
    let what =
        format!("{all} ports listen inside the target; only the first {MAX_PORTS} are tried");
    (all > MAX_PORTS).then(|| Finding::new(Note, listening::CHECK, what, WHY_MORE))
}
