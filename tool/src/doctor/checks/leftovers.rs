//! socat processes that are no longer needed.

use std::time::Duration;

use crate::doctor::facts::socats::{Socat, socats};
use crate::doctor::node::{CheckFuture, Node};
use crate::model::Finding;
use crate::model::Severity::{Note, Warn};

const WHY: &str = "a kubelet that crashes or loses track of a socat leaves it running";
const WHY_ORPHAN: &str =
    "the process that spawned it has ended: it holds a connection and memory until the pod ends";
const WHY_IDLE: &str =
    "its client has probably gone away without closing the connection, which stays open";
const WHY_CONTAINER: &str = "they are the container's own, as in a node of kind";

/// How many are reported one by one. More share one finding: whoever may start processes can start a
/// thousand.
const MAX_ALONE: usize = 3;

/// How many processes one command ends.
const MAX_KILLED: usize = 20;

/// Checks every running socat of a forward.
pub(super) fn check(node: &Node) -> CheckFuture<'_> {
    Box::pin(async {
        let socats = socats(&mut *node.inspector.lock().await).await;
        leftovers(&socats, node.idle)
    })
}

/// Findings for the socats that were left behind, or one for all when there is none.
fn leftovers(socats: &[Socat], idle: Duration) -> Vec<Finding> {
    let (inside, socats): (Vec<&Socat>, Vec<&Socat>) =
        socats.iter().partition(|socat| socat.is_in_container);
    let (orphans, others): (Vec<&Socat>, Vec<&Socat>) =
        socats.iter().partition(|socat| socat.is_orphan);
    let is_idle = |socat: &&&Socat| socat.idle.is_some_and(|idle_for| idle_for >= idle);
    let idle: Vec<&Socat> = others.iter().filter(is_idle).copied().collect();
    let mut findings = Vec::new();
    findings.extend(left(&orphans, "leftover.orphan", WHY_ORPHAN, |_| {
        "has lost its parent".to_owned()
    }));
    findings.extend(left(&idle, "leftover.idle", WHY_IDLE, |socat| {
        let seconds = socat.idle.unwrap_or_default().as_secs();
        format!("has moved no bytes for {seconds} s")
    }));
    if findings.is_empty() {
        findings.push(none_left(&socats));
    }
    if !inside.is_empty() {
        let what = format!("socats of forwards in containers of this node: {}", inside.len());
        findings.push(Finding::new(Note, "leftover", what, WHY_CONTAINER));
    }
    findings
}

/// The finding when no socat was left behind.
fn none_left(socats: &[&Socat]) -> Finding {
    let unreadable = socats.iter().filter(|socat| socat.idle.is_none()).count();
    if unreadable > 0 {
        let all = socats.len();
        let what = format!(
            "whether a socat of a forward is idle cannot be read for {unreadable} of {all} that run"
        );
        return Finding::new(Note, "leftover", what, WHY);
    }
    let what = match socats.len() {
        0 => "no socat of a forward is running".to_owned(),
        1 => "1 socat of a forward is running, and it is in use".to_owned(),
        many => format!("{many} socats of forwards are running, and all are in use"),
    };
    Finding::ok("leftover", what, WHY)
}

/// The findings for all that were left behind for one reason: few are described one by one, many by the
/// first.
fn left(
    socats: &[&Socat],
    check: &'static str,
    why: &'static str,
    reason: impl Fn(&Socat) -> String,
) -> Vec<Finding> {
    let alone = |socat: &&Socat| {
        let Socat { pid, port, .. } = socat;
        let what = format!("socat {pid}, a forward to port {port}, {}", reason(socat));
        Finding::new(Warn, check, what, why).fix(format!("kill {pid}"))
    };
    if socats.len() <= MAX_ALONE {
        return socats.iter().map(alone).collect();
    }
    let first = alone(&socats[0]).what;
    let others = socats.len() - 1;
    let what = format!("{first}; the same is true of {others} more processes named socat");
    let pids: Vec<String> =
        socats.iter().take(MAX_KILLED).map(|socat| socat.pid.to_string()).collect();
    let more =
        if socats.len() > MAX_KILLED { "   # the first of them; then check again" } else { "" };
    vec![Finding::new(Warn, check, what, why).fix(format!("kill {}{more}", pids.join(" ")))]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Severity::Ok;

    const IDLE: Duration = Duration::from_mins(1);

    fn socat(pid: u32, is_orphan: bool, is_in_container: bool) -> Socat {
        Socat { pid, port: 80, is_in_container, is_orphan, idle: Some(Duration::ZERO) }
    }

    #[test]
    fn many_that_were_left_are_one_finding_with_one_command() {
        let many: Vec<Socat> = (1..=100).map(|pid| socat(pid, true, false)).collect();
        let [one] = &leftovers(&many, IDLE)[..] else { panic!() };
        let what = "socat 1, a forward to port 80, has lost its parent; the same is true of 99 more \
                    processes named socat";
        assert_eq!(one.what, what);
        let fix = one.fix.as_deref().unwrap();
        assert!(fix.starts_with("kill 1 2 3 ") && fix.contains(" 20   # "), "{fix}");
    }

    #[test]
    fn a_few_that_were_left_are_reported_one_by_one() {
        let few: Vec<Socat> = (1..=3).map(|pid| socat(pid, true, false)).collect();
        let fixes: Vec<_> = leftovers(&few, IDLE).into_iter().filter_map(|one| one.fix).collect();
        assert_eq!(fixes, ["kill 1", "kill 2", "kill 3"]);
    }

    #[test]
    fn a_socat_of_a_container_is_no_leftover_of_the_node() {
        let [all, inside] = &leftovers(&[socat(1, true, true)], IDLE)[..] else { panic!() };
        assert_eq!((all.severity, inside.severity), (Ok, Note));
        assert!(inside.fix.is_none() && inside.what.ends_with(": 1"), "{inside:?}");
    }
}
