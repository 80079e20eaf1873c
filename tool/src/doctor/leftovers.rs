//! socat processes that nobody needs any more.

use std::time::Duration;

use super::checks::{Checking, Node};
use super::facts::helpers::{Socat, socats};
use crate::model::Finding;
use crate::model::Severity::{Note, Warn};

const WHY: &str = "kubelets that crash or leak leave them behind";
const WHY_ORPHAN: &str =
    "whoever spawned it is gone: it holds a connection and memory until the pod ends";
const WHY_IDLE: &str = "its client has most likely left without a word: it holds a connection";

/// Checks every running socat of a forward.
pub(super) fn check(node: &Node) -> Checking<'_> {
    Box::pin(async { leftovers(&socats(), node.idle) })
}

/// Judges each socat. One that has carried no data for `idle` counts as left behind.
fn leftovers(socats: &[Socat], idle: Duration) -> Vec<Finding> {
    let findings: Vec<Finding> = socats.iter().filter_map(|one| judge(one, idle)).collect();
    if !findings.is_empty() {
        return findings;
    }
    let unseen = socats.iter().filter(|one| one.idle.is_none()).count();
    if unseen > 0 {
        let all = socats.len();
        let what = format!("of {all} running socats of forwards, {unseen} may be idle: not seen");
        return vec![Finding::new(Note, "leftover", what, WHY)];
    }
    let what = match socats.len() {
        0 => "no socat of a forward is running".to_owned(),
        1 => "the one socat of a forward that is running is in use".to_owned(),
        many => format!("all {many} socats of forwards that are running are in use"),
    };
    vec![Finding::ok("leftover", what, WHY)]
}

fn judge(socat: &Socat, idle: Duration) -> Option<Finding> {
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
