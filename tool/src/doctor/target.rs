//! The path of a forward to one target, step by step, each with its time.

use std::path::Path;
use std::time::Instant;

use super::dial::Dialing;
use super::facts::inspector::Inspector;
use super::facts::running::running;
use super::localhost;
use super::not_found::{WHY_FOUND, not_found};
use super::past_forwards::past_forwards;
use super::ports::check_ports;
use super::process::processes;
use super::shell::{nsenter_options, target_args};
use crate::model::Severity::{Fail, Note, Warn};
use crate::model::{Finding, ForwardingMode};
use crate::runtime::Runtimes;
use crate::target::{Target, TargetName};

const WHY_NETNS: &str = "a pod in the node's network namespace shares the node's ports";
const WHY_LOOPBACK: &str =
    "localhost is on the loopback interface: without it, no forward connects";

/// What to check of which target.
#[derive(Clone, Copy)]
pub(super) struct TargetOptions<'a> {
    pub(super) name: &'a TargetName,
    pub(super) namespace: Option<&'a str>,
    pub(super) runtimes: &'a Runtimes,
    pub(super) ports: &'a [u16],
    /// The store of the agent.
    pub(super) store: &'a Path,
    /// nsenter and socat may be programs that other users can replace.
    pub(super) trust_path: bool,
}

/// Checks each step up to each of these ports. If none is given, up to the first 8 on which something
/// listens.
///
/// Must be called within a tokio runtime.
pub(super) async fn check_target(options: &TargetOptions<'_>) -> Vec<Finding> {
    let TargetOptions { name, namespace, runtimes, ports, store, trust_path } = *options;
    let start = Instant::now();
    let found = Target::find(name, namespace, runtimes).await;
    let took = start.elapsed();
    let args = target_args(name, namespace);
    let target = match found {
        Ok(target) => target,
        Err(error) => return vec![not_found(error, name, &args).took(took)],
    };
    let by = target.runtime().map_or_else(String::new, |runtime| format!(", by {}", runtime.name));
    let what = format!("{args} was found{by}");
    let mut findings = vec![Finding::ok("target.found", what, WHY_FOUND).took(took)];
    findings.extend(processes(&target, name));
    findings.push(netns(&target));
    let loopback = loopback(&target).await;
    let is_down = loopback.severity == Fail;
    findings.push(loopback);
    let daemons = running(&mut Inspector::default()).await.daemons;
    let mode = target.runtime().map_or(ForwardingMode::Helpers, |runtime| runtime.mode);
    findings.push(localhost::localhost(&daemons, mode));
    // Before the test connections, which an agent sees too.
    findings.extend(past_forwards(store, &target, name, ports));
    // Without loopback, every connection would time out.
    if !is_down {
        findings.extend(
            check_ports(&target, &args, &Dialing { daemons: &daemons, trust_path }, ports).await,
        );
    }
    findings
}

fn netns(target: &Target) -> Finding {
    let (check, inode) = ("target.netns", target.netns().inode());
    if target.is_host_network() {
        let what = format!("its network namespace is the node's own, net:[{inode}]");
        Finding::new(Note, check, what, WHY_NETNS)
    } else {
        let what = format!("its network namespace is its own, net:[{inode}]");
        Finding::ok(check, what, WHY_NETNS)
    }
}

async fn loopback(target: &Target) -> Finding {
    let (start, check) = (Instant::now(), "target.loopback");
    let finding = match target.netns().loopback_is_up().await {
        Ok(true) => Finding::ok(check, "loopback is up inside the target", WHY_LOOPBACK),
        Ok(false) => {
            let enter = nsenter_options(target);
            let what = "loopback is down inside the target: localhost cannot be reached";
            Finding::new(Fail, check, what, WHY_LOOPBACK)
                .fix(format!("nsenter {enter} ip link set lo up"))
        }
        Err(error) => {
            let what = format!("cannot list the network interfaces inside the target: {error}");
            Finding::new(Warn, check, what, WHY_LOOPBACK).fix("pfsnoop doctor --verbose")
        }
    };
    finding.took(start.elapsed())
}
