//! What a new connection or helper needs one more of.

use super::checks::{Checking, Node};
use super::facts::daemons::{Daemon, OpenFiles};
use super::facts::load::{self, Use};
use crate::model::Finding;
use crate::model::Severity::{self, Fail, Warn};

/// From so many hundredths on it will not last for long, or is over.
const WARN: u64 = 80;
const FAIL: u64 = 95;

/// `PID_MAX_LIMIT` (include/linux/threads.h).
const MOST_PIDS: u64 = 4_194_304;

const WHY_PIDS: &str = "each forward by nsenter and socat is a process more";
const WHY_FILES: &str = "each connection is several open files more";
const WHY_CONNTRACK: &str = "with the table full, the kernel drops new connections";

/// Checks the limits of the node and of its daemons.
pub(super) fn check(node: &Node) -> Checking<'_> {
    Box::pin(async { limits(&node.daemons) })
}

fn limits(daemons: &[Daemon]) -> Vec<Finding> {
    let pids = load::tasks().map(|(usage, setting)| {
        let finding = judge("limit.pids", "processes and threads", usage, WHY_PIDS);
        mended(finding, || format!("sysctl -w {setting}={}", doubled(usage).min(MOST_PIDS)))
    });
    let files = load::files().map(|usage| {
        let finding = judge("limit.files", "open files on this node", usage, WHY_FILES);
        mended(finding, || format!("sysctl -w fs.file-max={}", doubled(usage)))
    });
    let conntrack = load::connections().map(|usage| {
        let what = "connections that the firewall follows";
        let finding = judge("limit.conntrack", what, usage, WHY_CONNTRACK);
        mended(finding, || format!("sysctl -w net.netfilter.nf_conntrack_max={}", doubled(usage)))
    });
    let of_daemon = |daemon: &Daemon| {
        let Daemon { pid, name, .. } = daemon;
        let OpenFiles { open, soft, hard } = daemon.open_files?;
        let usage = Use { used: open, most: soft };
        let what = format!("open files of {name} (pid {pid})");
        let finding = judge("limit.daemon-files", &what, usage, WHY_FILES);
        let soft = doubled(usage);
        // The hard limit rises with it where it must, and is never lowered.
        let limits = if hard.is_some_and(|hard| hard < soft) {
            format!("{soft}:{soft}")
        } else {
            format!("{soft}:")
        };
        Some(mended(finding, || format!("prlimit --pid {pid} --nofile={limits}")))
    };
    let daemons = daemons.iter().filter_map(of_daemon);
    [pids, files, conntrack].into_iter().flatten().chain(daemons).collect()
}

fn judge(check: &'static str, what: &str, usage: Use, why: &'static str) -> Finding {
    let Use { used, most } = usage;
    let what = format!("{used} of {most} {what}");
    match usage.percent() {
        FAIL.. => Finding::new(Fail, check, what, why),
        WARN.. => Finding::new(Warn, check, what, why),
        _ => Finding::ok(check, what, why),
    }
}

fn mended(finding: Finding, command: impl FnOnce() -> String) -> Finding {
    if finding.severity == Severity::Ok { finding } else { finding.fix(command()) }
}

fn doubled(usage: Use) -> u64 {
    usage.most.saturating_mul(2)
}
