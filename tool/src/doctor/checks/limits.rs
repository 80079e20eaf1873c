//! Limits that a new connection or helper can hit: processes, open files, tracked connections.

use crate::doctor::facts::daemons::{Daemon, OpenFiles};
use crate::doctor::facts::usage::{self, Usage};
use crate::doctor::grouped::{OfProcess, grouped};
use crate::doctor::helper_fix::describe;
use crate::doctor::node::{CheckFuture, Node};
use crate::model::Finding;
use crate::model::Severity::{Fail, Warn};

/// From this percentage on, the limit may soon be reached.
const WARN_PERCENT: u64 = 80;

/// From this percentage on, connections fail or are about to fail.
const FAIL_PERCENT: u64 = 95;

/// `PID_MAX_LIMIT` (include/linux/threads.h).
const MAX_PIDS: u64 = 4_194_304;

const WHY_PIDS: &str = "each connection by nsenter and socat needs one more process";
const WHY_FILES: &str = "each connection needs several more open files";
const WHY_CONNTRACK: &str = "when the table is full, the kernel drops new connections";

/// Checks the limits of the node and of its daemons.
pub(super) fn check(node: &Node) -> CheckFuture<'_> {
    Box::pin(async { limits(&node.daemons.daemons) })
}

fn limits(daemons: &[Daemon]) -> Vec<Finding> {
    let pids = usage::tasks().map(|(usage, setting)| {
        let fix = format!("sysctl -w {setting}={}", doubled(usage).min(MAX_PIDS));
        finding("limit.pids", "processes and threads", usage, WHY_PIDS, fix)
    });
    let files = usage::files().map(|usage| {
        let fix = format!("sysctl -w fs.file-max={}", doubled(usage));
        finding("limit.files", "open files on this node", usage, WHY_FILES, fix)
    });
    let conntrack = usage::connections().map(|usage| {
        let fix = format!("sysctl -w net.netfilter.nf_conntrack_max={}", doubled(usage));
        let unit = "connections tracked by the firewall (conntrack)";
        finding("limit.conntrack", unit, usage, WHY_CONNTRACK, fix)
    });
    let daemons = grouped(daemons.iter().filter_map(daemon_files));
    [pids, files, conntrack].into_iter().flatten().chain(daemons).collect()
}

fn daemon_files(daemon: &Daemon) -> Option<OfProcess> {
    let Daemon { pid, name, place, .. } = daemon;
    let OpenFiles { open, soft, hard } = daemon.open_files?;
    let usage = Usage { used: open, max: soft };
    let soft = doubled(usage);
    // Raise the hard limit only if the new soft limit exceeds it, and never lower it.
    let limits = if hard.is_some_and(|hard| hard < soft) {
        format!("{soft}:{soft}")
    } else {
        format!("{soft}:")
    };
    let inside = describe(place).map_or_else(String::new, |place| format!(" in {place}"));
    let unit = format!("open files of {name} (pid {pid}){inside}");
    // A limit holds a container back. Only its owner may raise it.
    let fix = if place.is_of_node() {
        format!("prlimit --pid {pid} --nofile={limits}")
    } else {
        format!("# raise the limit of open files to {soft} where {name} (pid {pid}) is defined")
    };
    let mut finding = finding("limit.daemon-files", &unit, usage, WHY_FILES, fix);
    if !place.is_of_node() {
        finding.severity = finding.severity.min(Warn);
    }
    Some(OfProcess { finding, name: name.clone(), cause: ["files", place.kind()] })
}

/// The finding for a limit. `unit` is what the limit counts.
fn finding(
    check: &'static str,
    unit: &str,
    usage: Usage,
    why: &'static str,
    fix: String,
) -> Finding {
    let Usage { used, max } = usage;
    let what = format!("{used} of {max} {unit}");
    match usage.percent() {
        FAIL_PERCENT.. => Finding::new(Fail, check, what, why).fix(fix),
        WARN_PERCENT.. => Finding::new(Warn, check, what, why).fix(fix),
        _ => Finding::ok(check, what, why),
    }
}

fn doubled(usage: Usage) -> u64 {
    usage.max.saturating_mul(2)
}
