//! containerd imports the image and runs it, through the API that kubelets use.

use std::path::PathBuf;

use crate::common::eventually;
use crate::common::temp::TempDir;
use crate::support::agent_pod::AgentPod;
use crate::support::containerd::{Containerd, Pod};
use crate::support::cri::{ContainerConfig, PodConfig};
use crate::support::dist::file_of_dist;
use crate::support::helper::run_nsenter_socat;
use crate::support::node_root::NodeRoot;
use crate::support::parts::containerds;
use crate::support::websocket::PortForward;

/// A containerd with the agent's image, a pod of the agent without containers yet, and another pod.
struct Site {
    containerd: Containerd,
    container: ContainerConfig,
    config: PodConfig,
    sandbox: String,
    kuard: Pod,
    logs: TempDir,
    _node: NodeRoot,
}

impl Site {
    /// With the agent's pod of a folder in `docs/deploy`.
    fn new(containerd: Containerd, folder: &str) -> Self {
        containerd.import(&file_of_dist(".oci.tar"));
        let pod = AgentPod::of(folder);
        let socket = "run/containerd/containerd.sock";
        let node =
            NodeRoot::new(&format!("{folder}-containerd-node"), &containerd.socket(), socket);
        let logs = TempDir::new(&format!("{folder}-containerd-logs"));
        let mut config = containerd.pod_config("pfsnoop", "agent", 0);
        config.log_directory = logs.path().display().to_string();
        let linux = config.linux.as_mut().unwrap();
        linux.security_context.as_mut().unwrap().namespace_options = Some(pod.namespaces());
        let sandbox = containerd.run_sandbox(&config);
        let kuard = containerd.run_pod("shop", "kuard", "kuard", 8080);
        let container = pod.container_on(&node);
        Self { containerd, container, config, sandbox, kuard, logs, _node: node }
    }

    /// Runs the agent, without one of its capabilities.
    fn agent_without(&self, missing: Option<&str>) -> Agent<'_> {
        let mut container = self.container.clone();
        let name = missing.unwrap_or("none");
        container.metadata.as_mut().unwrap().name = format!("without-{name}");
        container.log_path = format!("{name}.log");
        let security = container.linux.as_mut().unwrap().security_context.as_mut().unwrap();
        let added = &mut security.capabilities.as_mut().unwrap().add;
        let count = added.len();
        added.retain(|one| Some(&**one) != missing);
        assert_eq!(added.len() + usize::from(missing.is_some()), count);
        let log = self.logs.join(&container.log_path);
        let id = self.containerd.cri().run_container(&self.sandbox, &self.config, container);
        Agent { site: self, id, log }
    }
}

/// A container of the agent.
struct Agent<'a> {
    site: &'a Site,
    id: String,
    log: PathBuf,
}

impl Agent<'_> {
    /// Waits for a line of the log that contains this. `act` happens again and again until then.
    fn logs(&self, part: &str, act: impl Fn()) {
        eventually(part, || {
            act();
            let log = std::fs::read_to_string(&self.log).unwrap_or_default();
            log.contains(part).then_some(())
        });
    }
}

impl Drop for Agent<'_> {
    fn drop(&mut self) {
        let _ = self.site.containerd.cri().by_id("RemoveContainer", &self.id);
    }
}

#[test]
fn containerd_runs_the_agent_as_the_manifests_describe_it() {
    for programs in containerds() {
        let site = Site::new(Containerd::start_from("agent-containerd", &programs), "agent");
        let agent = site.agent_without(None);
        agent.logs("every port-forward of this node is watched", || ());
        let pid = Containerd::pid_in(&site.kuard);
        agent.logs("refused: port 9 of shop/kuard, forwarded by ", || {
            run_nsenter_socat(pid, 9);
        });
        agent.logs("refused: port 10 of shop/kuard, forwarded by containerd", || {
            let url = site.containerd.cri().port_forward(&site.kuard.sandbox, 10);
            while PortForward::open(&url, 10).receive().is_some_and(|(channel, _)| channel != 1) {}
        });
    }
}

/// It runs under its own seccomp profile, too, which is not what refuses.
#[test]
fn the_agent_needs_each_of_its_capabilities() {
    let site = Site::new(Containerd::start("agent-capabilities"), "seccomp");
    for missing in ["BPF", "PERFMON"] {
        let line = "the kernel refused to load the programs (not permitted)";
        site.agent_without(Some(missing)).logs(line, || ());
    }
    site.agent_without(None).logs("every port-forward of this node is watched", || ());
    // It then sees a network namespace, and not whose it is.
    let agent = site.agent_without(Some("SYS_PTRACE"));
    let pid = Containerd::pid_in(&site.kuard);
    agent.logs("refused: port 11 of net:[", || {
        run_nsenter_socat(pid, 11);
    });
}
