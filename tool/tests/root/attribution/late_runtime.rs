//! Names that are not there yet: of a runtime that starts later, and of containers that it does
//! not know.

use std::process::Command;

use serde_json::Value;

use crate::exec::unusual_execs::records;
use crate::support::cgroup::Cgroup;
use crate::support::docker::Docker;
use crate::support::{eventually, output, pfsnoop, running::Running, stdout_of, system};

/// `pfsnoop` with JSON, which asks the daemon of that address alone, once it is attached.
fn attached(args: &[&str], host: &str) -> Running {
    let mut command: Command = pfsnoop(&[args, &["-o", "json", "--verbose"]].concat());
    command.env("DOCKER_HOST", host).env("CONTAINER_RUNTIME_ENDPOINT", "/nonexistent/cri.sock");
    let mut snoop = Running::start(&mut command);
    snoop.stderr_line("word that it is attached", |line| line.contains("attached"));
    snoop
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
    let request = format!("nsenter -t {pid} -n socat - TCP4:localhost:7097 < /dev/null");
    eventually("the name of a session's container", || {
        output(system("sh").args(["-c", &request]));
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
fn a_container_that_nobody_knows_is_not_asked_for_at_each_row() {
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
