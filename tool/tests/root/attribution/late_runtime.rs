//! A runtime that starts after pfsnoop, and containers that the runtime does not know.

use std::process::Command;

use serde_json::Value;

use crate::common::running::Running;
use crate::common::{eventually, output, pfsnoop, stdout_of, system};
use crate::support::cgroup::Cgroup;
use crate::support::docker::Docker;
use crate::support::helper::run_nsenter_socat;
use crate::support::records::records;

/// `pfsnoop` with JSON, attached. It asks only the Docker daemon at that address.
fn attached(args: &[&str], host: &str) -> Running {
    let mut command: Command = pfsnoop(&[args, &["-o", "json", "--verbose"]].concat());
    command.env("DOCKER_HOST", host).env("CONTAINER_RUNTIME_ENDPOINT", "/nonexistent/cri.sock");
    Running::start_attached(&mut command)
}

#[test]
fn a_runtime_that_starts_later_gives_names() {
    let host = Docker::host_of("late-docker");
    let snoop = attached(&["exec", "-n", "mkdir"], &host);
    let watch = attached(&["watch"], &host);
    let docker = Docker::start("late-docker");
    let pid = docker.run("plain", "sleep 1000");
    let is_plain = |record: &Value| record["container"]["name"] == "plain";
    eventually("the name of an exec's container", || {
        output(docker.client().args(["exec", "plain", "/bin/mkdir", "-p", "/m-late"]));
        records(&snoop).iter().any(is_plain).then_some(())
    });
    eventually("the name of a session's container", || {
        run_nsenter_socat(pid, 7097);
        records(&watch).iter().any(|record| is_plain(&record["target"])).then_some(())
    });
    let complaints = |running: &Running| {
        running
            .stderr()
            .iter()
            .filter(|line| line.contains("docker at ") && line.contains("WARN"))
            .count()
    };
    assert_eq!((complaints(&snoop), complaints(&watch)), (1, 1), "{:#?}", snoop.stderr());
}

#[test]
fn a_container_that_the_runtime_does_not_know_is_not_looked_up_for_each_row() {
    const EXECS: usize = 300;
    let docker = Docker::start("unknown-docker");
    let id = "0123456789abcdef".repeat(4);
    let cgroup = Cgroup::named(&format!("docker-{id}.scope"));
    let snoop = attached(&["exec", "-n", "true"], &docker.host());
    let before = docker.inspections(&id);
    let script =
        "echo $$ > \"$0/cgroup.procs\"; for i in $(seq \"$1\"); do /bin/true m-unknown; done";
    stdout_of(system("sh").args(["-c", script]).arg(cgroup.path()).arg(EXECS.to_string()));
    let shown = || {
        let is_it = |record: &&Value| {
            record["args"][1] == "m-unknown" && record["container"]["id"] == id.as_str()
        };
        records(&snoop).iter().filter(is_it).count()
    };
    eventually("all rows", || (shown() == EXECS).then_some(()));
    let asked = docker.inspections(&id) - before;
    assert!((1..EXECS / 10).contains(&asked), "asked {asked} times");
}
