//! Docker loads the image and runs it.

use crate::common::{eventually, output, stdout_of, text};
use crate::support::agent_pod::{AgentPod, OF_NODE};
use crate::support::cri::ContainerConfig;
use crate::support::dist::file_of_dist;
use crate::support::docker::Docker;
use crate::support::helper::run_nsenter_socat;
use crate::support::node_root::NodeRoot;
use crate::support::parts::dockers;

/// The first version of Docker that knows CAP_BPF, and whose seccomp profile allows bpf(2) with it.
const FIRST_WITH_BPF: u32 = 23;

#[test]
fn docker_runs_the_agent_as_the_manifests_describe_it() {
    for version in dockers() {
        run_on(&Docker::start_version("agent-docker", version));
    }
}

fn run_on(docker: &Docker) {
    let is_older = docker.major_version() < FIRST_WITH_BPF;
    let folders = if is_older { &["older-runtimes"][..] } else { &["agent", "seccomp"] };
    let archive = file_of_dist(".oci.tar");
    let loaded = stdout_of(docker.client().arg("load").arg("--input").arg(archive));
    let node = NodeRoot::new("agent-docker-node", &docker.socket(), "run/docker.sock");
    let pause = docker.run_pod("kuard");
    for folder in folders {
        let pod = AgentPod::of(folder);
        assert_eq!(loaded.trim(), format!("Loaded image: {}", pod.image()));
        sees_a_session(docker, &arguments(&pod.container_on(&node)), pause);
    }
}

/// Runs the agent and a session into the pod with that pause process.
fn sees_a_session(docker: &Docker, arguments: &[String], pause: u32) {
    let mut run = docker.client();
    run.args(["run", "--detach", "--name", "agent", "--network", "none"]);
    stdout_of(run.args(arguments));
    let logs = |part: &str| {
        let log = text(&output(docker.client().args(["logs", "agent"])).stderr);
        assert!(is_running(docker), "{log}");
        log.contains(part).then_some(())
    };
    eventually("the agent", || logs("every port-forward of this node is watched"));
    eventually("a session with its pod", || {
        run_nsenter_socat(pause, 9);
        logs("refused: port 9 of shop/kuard, forwarded by ")
    });
    eventually("the session in its store", || {
        let rows = history(docker, &["--since", "1h", "--outcome", "not-ok"]);
        let is_it = |line: &str| line.contains(" refused ") && line.contains(" shop/kuard ");
        rows.lines().any(is_it).then_some(())
    });
    let sums = history(docker, &["--since", "1d", "--summary"]);
    assert!(sums.contains("shop/kuard"), "{sums}");
    stdout_of(docker.client().args(["rm", "--force", "agent"]));
}

/// What the runbook tells to run in the agent's container. The agent makes its store a moment after it has
/// attached: until then, nothing comes out.
fn history(docker: &Docker, args: &[&str]) -> String {
    let mut exec = docker.client();
    text(&output(exec.args(["exec", "agent", "/pfsnoop", "history"]).args(args)).stdout)
}

fn is_running(docker: &Docker) -> bool {
    let inspect = ["inspect", "--format", "{{.State.Running}}", "agent"];
    stdout_of(docker.client().args(inspect)).trim() == "true"
}

/// What follows `docker run`, so that it makes the container that a kubelet asks for.
fn arguments(container: &ContainerConfig) -> Vec<String> {
    let linux = container.linux.as_ref().unwrap();
    let security = linux.security_context.as_ref().unwrap();
    let capabilities = security.capabilities.as_ref().unwrap();
    let memory = linux.resources.as_ref().unwrap().memory_limit_in_bytes;
    let mut all = vec![format!("--memory={memory}")];
    all.extend(capabilities.drop.iter().map(|name| format!("--cap-drop={name}")));
    all.extend(capabilities.add.iter().map(|name| format!("--cap-add={name}")));
    assert_eq!(security.namespace_options.as_ref().unwrap().pid, OF_NODE);
    all.push("--pid=host".to_owned());
    if security.readonly_rootfs {
        all.push("--read-only".to_owned());
    }
    if security.no_new_privs {
        all.push("--security-opt=no-new-privileges".to_owned());
    }
    let seccomp = security.seccomp.as_ref().unwrap();
    if !seccomp.path.is_empty() {
        all.push(format!("--security-opt=seccomp={}", seccomp.path));
    }
    for mount in &container.mounts {
        let access = if mount.readonly { "ro" } else { "rw" };
        let follows_node = if mount.propagation == 1 { ",rslave" } else { "" };
        let (from, to) = (&mount.host_path, &mount.container_path);
        all.push(format!("--volume={from}:{to}:{access}{follows_node}"));
    }
    all.extend(container.envs.iter().map(|one| format!("--env={}={}", one.key, one.value)));
    all.push(container.image.as_ref().unwrap().image.clone());
    all.extend(container.args.iter().cloned());
    all
}
