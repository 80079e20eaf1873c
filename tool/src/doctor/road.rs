//! The road to one target, step by step, each with its time.

use std::time::Instant;

use super::Severity::{Fail, Note, Warn};
use super::dial::{Dialing, entrance};
use super::runtimes::{Road, road_of};
use super::{Finding, listening, localhost};
use crate::node::process::ProcessError;
use crate::node::{daemons, netns};
use crate::resolve::{FindError, Runtimes, Target, TargetName};

/// Most ports that are tried when none was named.
const MOST_PORTS: usize = 8;

const WHY_FOUND: &str = "a forward begins with the runtime's word for where the pod is";
const WHY_RUNNING: &str = "the namespaces of a pod are gone once its sandbox has ended";
const WHY_PROCESS: &str = "nsenter enters the pod's network by this process";
const WHY_NETNS: &str = "in the node's own network, a pod's ports are the node's";
const WHY_LOOPBACK: &str = "localhost is on the loopback interface: nothing is reached without it";
const WHY_LISTENS: &str = "somebody must listen for a connection to be accepted";

/// Walks to the target, and as far as it gets to each port; without ports, to those that listen.
///
/// Must be called within a tokio runtime.
pub async fn road(
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
        Err(error) => return not_found(error, &command).map(|one| one.took(took)).into(),
    };
    let by = target.runtime().map_or_else(String::new, |runtime| format!(", by {runtime}"));
    let mut findings =
        vec![Finding::ok("target.found", format!("{command} was found{by}"), WHY_FOUND).took(took)];
    findings.extend(place(&target));
    let loopback = loopback(&target, &command).await;
    let is_down = loopback.severity == Fail;
    findings.push(loopback);
    findings.push(localhost::localhost(&daemons::running()));
    // Each connection would be waited for in vain.
    if !is_down {
        findings.extend(to_ports(&target, &command, ports).await);
    }
    findings
}

/// How the target is called in a command.
fn in_command(name: &TargetName, namespace: &str) -> String {
    match name {
        TargetName::Pod(name) if namespace == "default" => name.clone(),
        TargetName::Pod(name) => format!("{name} -n {namespace}"),
        TargetName::Container(name) => format!("container/{name}"),
        TargetName::Pid(pid) => format!("pid/{pid}"),
        TargetName::Netns(path) => format!("netns/{}", path.display()),
    }
}

fn not_found(error: FindError, command: &str) -> [Finding; 1] {
    let (check, why, cure) = match &error {
        FindError::PodNotRunning(_) => {
            ("target.running", WHY_RUNNING, format!("kubectl describe pod {command}"))
        }
        FindError::ContainerNotRunning(id) => {
            ("target.running", WHY_RUNNING, format!("docker start {id}"))
        }
        FindError::Process(ProcessError::Unreadable { .. }) => {
            ("target.process", WHY_PROCESS, format!("sudo pfsnoop doctor {command}"))
        }
        FindError::Process(_) => ("target.process", WHY_PROCESS, "pfsnoop targets".to_owned()),
        FindError::NoRuntime { .. } => ("target.found", WHY_FOUND, "pfsnoop doctor".to_owned()),
        _ => ("target.found", WHY_FOUND, "pfsnoop targets".to_owned()),
    };
    let what = format!("{:#}", anyhow::Error::from(error));
    [Finding::new(Fail, check, what, why).cure(cure)]
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
    let is_nodes = netns::inode_of(&netns::host_file()) == Some(inode);
    let netns = if is_nodes || target.is_host_network() {
        let what = format!("its network is the node's own, net:[{inode}]");
        Finding::new(Note, "target.netns", what, WHY_NETNS)
    } else {
        let what = format!("its network is its own, net:[{inode}]");
        Finding::ok("target.netns", what, WHY_NETNS)
    };
    [process, netns]
}

async fn loopback(target: &Target, command: &str) -> Finding {
    let (start, check) = (Instant::now(), "target.loopback");
    let finding = match target.netns().loopback_is_up().await {
        Ok(true) => Finding::ok(check, "loopback is up in there", WHY_LOOPBACK),
        Ok(false) => {
            let enter = entrance(target, command);
            let what = "loopback is down in there: localhost cannot be reached";
            Finding::new(Fail, check, what, WHY_LOOPBACK)
                .cure(format!("nsenter {enter} ip link set lo up"))
        }
        Err(error) => {
            let what = format!("the interfaces in there cannot be listed: {error}");
            Finding::new(Warn, check, what, WHY_LOOPBACK).cure("pfsnoop doctor --verbose")
        }
    };
    finding.took(start.elapsed())
}

/// Who listens, and a connection to each by each dialer.
async fn to_ports(target: &Target, command: &str, ports: &[u16]) -> Vec<Finding> {
    let start = Instant::now();
    let listeners = match target.netns().listeners().await {
        Ok(listeners) => listeners,
        Err(error) => {
            let what = format!("who listens in there cannot be read: {error}");
            let finding = Finding::new(Fail, listening::CHECK, what, WHY_LISTENS);
            return vec![finding.cure("pfsnoop doctor --verbose")];
        }
    };
    let took = start.elapsed();
    let mut ports = ports.to_vec();
    if ports.is_empty() {
        ports = listening::ports(&listeners);
        ports.truncate(MOST_PORTS);
    }
    if ports.is_empty() {
        let finding = Finding::new(Warn, listening::CHECK, "nothing listens in there", WHY_LISTENS);
        let again = format!("pfsnoop doctor {command}   # again, once the application has started");
        return vec![finding.cure(again).took(took)];
    }
    let road = target.runtime().map_or(Road::Helpers, road_of);
    let mut dialing = Dialing::new(target, command, road);
    let mut findings = Vec::new();
    for port in ports {
        let listening = listening::judge(&listeners, port, road, command).took(took);
        findings.extend(dialing.connect(port, listening).await);
    }
    findings
}
