//! socat processes that are no longer needed.

use crate::doctor::node::{CheckFuture, Node};
use std::time::Duration;

use crate::doctor::facts::socats::{Socat, socats};
use crate::model::Finding;
use crate::model::Severity::{Note, Warn};

const WHY: &str = "a kubelet that crashes or loses track of a socat leaves it running";
const WHY_ORPHAN: &str =
    "the process that spawned it has ended: it holds a connection and memory until the pod ends";
const WHY_IDLE: &str =
    "its client has probably gone away without closing the connection, which stays open";

/// Checks every running socat of a forward.
pub(super) fn check(node: &Node) -> CheckFuture<'_> {
    Box::pin(async { leftovers(&socats(), node.idle) })
}

/// A finding for each socat that was left behind, or one for all when there is none.
fn leftovers(socats: &[Socat], idle: Duration) -> Vec<Finding> {
    let findings: Vec<Finding> = socats.iter().filter_map(|socat| leftover(socat, idle)).collect();
    if !findings.is_empty() {
        return findings;
    }
    let unreadable = socats.iter().filter(|socat| socat.idle.is_none()).count();
    if unreadable > 0 {
        let all = socats.len();
        let what = format!(
            "whether a socat of a forward is idle cannot be read for {unreadable} of {all} that run"
        );
        return vec![Finding::new(Note, "leftover", what, WHY)];
    }
    let what = match socats.len() {
        0 => "no socat of a forward is running".to_owned(),
        1 => "1 socat of a forward is running, and it is in use".to_owned(),
        many => format!("{many} socats of forwards are running, and all are in use"),
    };
    vec![Finding::ok("leftover", what, WHY)]
}

/// The finding for a socat that is an orphan, or that has moved no bytes for `idle`.
fn leftover(socat: &Socat, idle: Duration) -> Option<Finding> {
    let Socat { pid, port, is_orphan, idle: idle_for } = *socat;
    let finding = if is_orphan {
        let what = format!("socat {pid}, a forward to port {port}, has lost its parent");
        Finding::new(Warn, "leftover.orphan", what, WHY_ORPHAN)
    } else {
        let seconds = idle_for.filter(|&idle_for| idle_for >= idle)?.as_secs();
        let what =
            format!("socat {pid}, a forward to port {port}, has moved no bytes for {seconds} s");
        Finding::new(Warn, "leftover.idle", what, WHY_IDLE)
    };
    Some(finding.fix(format!("kill {pid}")))
}
