//! A real systemd runs the service, with every restriction in force.

use crate::common::{eventually, stdout_of};
use crate::support::docker::Docker;
use crate::support::helper::run_nsenter_socat;
use crate::support::parts::newest_docker;
use crate::support::systemd::Systemd;

const UNIT: &str = "pfsnoop-agent.service";

/// The numbers of CAP_SYS_PTRACE, CAP_PERFMON and CAP_BPF (include/uapi/linux/capability.h).
const KEPT: [u64; 3] = [19, 38, 39];

#[test]
fn systemd_runs_the_agent_and_restarts_it() {
    let docker = Docker::start_version("agent-systemd", newest_docker());
    let systemd = Systemd::start(&docker);
    let pause = docker.run_pod("kuard");
    let state = || systemd.show(UNIT, "ActiveState");
    assert_eq!(state(), "inactive", "the package enables nothing");
    // Returns once the agent has said that it is ready.
    systemd.run(&["systemctl", "start", UNIT]);
    assert_eq!(state(), "active");

    let pid = systemd.show(UNIT, "MainPID");
    let status = systemd.run(&["cat", &format!("/proc/{pid}/status")]);
    let field = |key: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(key));
        line.unwrap_or_else(|| panic!("{key} in {status}")).trim().to_owned()
    };
    let bounding = KEPT.into_iter().fold(0, |all, number| all | 1 << number);
    assert_eq!(u64::from_str_radix(&field("CapBnd:"), 16), Ok(bounding));
    assert_eq!((&*field("NoNewPrivs:"), &*field("Seccomp:")), ("1", "2"));
    let folder = systemd.run(&["stat", "--format", "%a %U", "/var/lib/pfsnoop"]);
    assert_eq!(folder.trim(), "700 root");

    eventually("a session in the journal", || {
        run_nsenter_socat(pause, 9);
        let journal = systemd.run(&["journalctl", "--unit", UNIT, "--no-pager"]);
        journal.contains("refused: port 9 of ").then_some(())
    });
    systemd.run(&["systemctl", "kill", "--signal=KILL", UNIT]);
    eventually("another agent", || {
        let is_another = systemd.show(UNIT, "NRestarts") == "1" && state() == "active";
        is_another.then_some(())
    });
    systemd.run(&["systemctl", "stop", UNIT]);
    assert_eq!((&*state(), &*systemd.show(UNIT, "Result")), ("inactive", "success"));
    stdout_of(docker.client().args(["rm", "--force", "node"]));
}
