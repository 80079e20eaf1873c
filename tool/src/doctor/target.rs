//! The road to one target, step by step, each with its time.

use std::time::Instant;

use super::dial::entrance;
use super::facts::daemons;
use super::localhost;
use super::not_found::{in_command, not_found};
use crate::model::Finding;
use crate::model::Severity::{Fail, Note, Warn};
use crate::runtime::Runtimes;
use crate::target::{Target, TargetName};

const WHY_FOUND: &str = "a forward begins with the runtime's word for where the pod is";
const WHY_PROCESS: &str = "nsenter enters the pod's network by this process";
const WHY_NETNS: &str = "in the node's own network, a pod's ports are the node's";
const WHY_LOOPBACK: &str = "localhost is on the loopback interface: nothing is reached without it";

/// Walks to the target, and as far as it gets to each port; without ports, to those that listen.
///
/// Must be called within a tokio runtime.
pub(super) async fn check_target(
    name: &TargetName,
    namespace: &str,
    runtimes: &Runtimes,
    ports: &[u16],
) -> Vec<Finding> {
    let start = Instant::now();
    let found = Target::find(name, namespace, runtimes).await;
    let took = start.elapsed();
    let command = in_command(name, namespace);
    let target = match found {
        Ok(target) => target,
        Err(error) => return vec![not_found(error, name, &command).took(took)],
    };
    let by = target.runtime().map_or_else(String::new, |runtime| format!(", by {}", runtime.name));
    let mut findings =
        vec![Finding::ok("target.found", format!("{command} was found{by}"), WHY_FOUND).took(took)];
    findings.extend(place(&target));
    let loopback = loopback(&target).await;
    let is_down = loopback.severity == Fail;
    findings.push(loopback);
    findings.push(localhost::localhost(&daemons::running()));
    // Each connection would be waited for in vain.
    if !is_down {
        findings.extend(super::ports::ports(&target, &command, ports).await);
    }
    findings
}

/// Its process and its namespace.
fn place(target: &Target) -> [Finding; 2] {
    let process = match target.pid() {
        Some(pid) => {
            Finding::ok("target.process", format!("its process {pid} is alive"), WHY_PROCESS)
        }
        None => Finding::new(
            Note,
            "target.process",
            "no process of it is known: it is reached natively alone",
            WHY_PROCESS,
        ),
    };
    let inode = target.netns().inode();
    let netns = if target.is_host_network() {
        let what = format!("its network is the node's own, net:[{inode}]");
        Finding::new(Note, "target.netns", what, WHY_NETNS)
    } else {
        let what = format!("its network is its own, net:[{inode}]");
        Finding::ok("target.netns", what, WHY_NETNS)
    };
    [process, netns]
}

async fn loopback(target: &Target) -> Finding {
    let (start, check) = (Instant::now(), "target.loopback");
    let finding = match target.netns().loopback_is_up().await {
        Ok(true) => Finding::ok(check, "loopback is up in there", WHY_LOOPBACK),
        Ok(false) => {
            let enter = entrance(target);
            let what = "loopback is down in there: localhost cannot be reached";
            Finding::new(Fail, check, what, WHY_LOOPBACK)
                .fix(format!("nsenter {enter} ip link set lo up"))
        }
        Err(error) => {
            let what = format!("the interfaces in there cannot be listed: {error}");
            Finding::new(Warn, check, what, WHY_LOOPBACK).fix("pfsnoop doctor --verbose")
        }
    };
    finding.took(start.elapsed())
}
