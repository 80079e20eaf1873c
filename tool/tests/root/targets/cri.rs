//! Targets and names from a real containerd, through CRI.

use std::os::unix::net::UnixListener;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::common::running::Running;
use crate::common::temp::TempDir;
use crate::common::{assert_fails, eventually, pfsnoop};
use crate::support::containerd::{self, Containerd};
use crate::support::docker::Docker;
use crate::support::forward::{get, start_listening};
use crate::support::schema::parse_record;

/// `pfsnoop` that asks only this daemon.
fn pfsnoop_of(containerd: &Containerd, args: &[&str]) -> Command {
    let mut command = pfsnoop(args);
    command.args(["--runtime-endpoint", &containerd.endpoint()]);
    command
}

fn forward_by_name(containerd: &Containerd, args: &[&str]) -> (Running, u16) {
    start_listening(&mut pfsnoop_of(containerd, &[&["forward"], args].concat()))
}

fn assert_serves(containerd: &Containerd, args: &[&str], page: &str) -> Running {
    let (forward, local) = forward_by_name(containerd, args);
    eventually(&format!("{args:?}"), || get("127.0.0.1", local).ends_with(page).then_some(()));
    forward
}

#[test]
fn pods_and_containers_of_containerd_are_found_by_name() {
    let containerd = Containerd::start("cri-names");
    let shop = containerd.run_pod("shop", "kuard", "in shop", 8080);
    let other = containerd.run_pod("default", "kuard", "in default", 8080);

    let by_prefix = format!("container/{}", &shop.web[..12]);
    let by_sandbox = format!("container/{}", other.sandbox);
    for (args, page) in [
        (&["kuard", "-n", "shop", ":8080", "--dialer", "nsenter"][..], "in shop\n"),
        (&["pod/kuard", ":8080", "--dialer", "native"], "in default\n"),
        (&[&by_prefix, ":8080", "--runtime", "cri"], "in shop\n"),
        (&[&by_sandbox, ":8080"], "in default\n"),
    ] {
        assert_serves(&containerd, args, page);
    }

    let fails = |args: &[&str], parts: &[&str]| {
        let args = [&["forward"], args, &[":80"]].concat();
        assert_fails(&mut pfsnoop_of(&containerd, &args), 1, parts);
    };
    fails(
        &["container/web"],
        &["\"web\" matches several: ", "shop/kuard/web (", "default/kuard/web ("],
    );
    let asked =
        format!("(asked: containerd at {}: 2 pods, 2 containers)", &containerd.endpoint()[7..]);
    fails(
        &["kuart", "-n", "shop"],
        &["no pod \"shop/kuart\"", &asked, "did you mean shop/kuard, default/kuard?"],
    );
    fails(&["container/wep"], &["no container \"wep\"", "did you mean container/web?"]);

    containerd.stop_pod(&shop);
    fails(
        &["kuard", "-n", "shop"],
        &["unable to forward port because pod is not running. Current status=NotReady"],
    );
    fails(&[&by_prefix], &[&format!("container not running ({})", shop.web)]);
    // Two containers have this name. One of them runs.
    assert_serves(&containerd, &["container/web", ":8080"], "in default\n");
}

#[test]
fn a_stopped_sandbox_gets_no_new_connections() {
    let containerd = Containerd::start("cri-stopped");
    let pod = containerd.run_pod("shop", "kuard", "in shop", 8080);
    for dialer in ["nsenter", "native"] {
        let args = ["kuard", "-n", "shop", ":8080", "--dialer", dialer, "--wait-restart", "0"];
        let mut running = assert_serves(&containerd, &args, "in shop\n");
        let (mut idle, local) = forward_by_name(&containerd, &args);
        if dialer == "native" {
            containerd.stop_pod(&pod);
            get("127.0.0.1", local);
            idle.stderr_line("the end", |line| line.contains("has ended"));
        }
        running.signal(rustix::process::Signal::INT);
        assert!(running.wait().success());
    }
}

#[test]
fn a_pod_in_the_nodes_network_has_a_note() {
    let containerd = Containerd::start("cri-host");
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    containerd.run_host_pod("shop", "node-web", "on the node", port);
    let args = ["node-web", "-n", "shop", &format!(":{port}")];
    let mut running = assert_serves(&containerd, &args, "on the node\n");
    running
        .stderr_line("note", |line| line.contains("note: ") && line.contains("node's own network"));
}

#[test]
fn a_runtime_that_does_not_answer_times_out() {
    let dir = TempDir::new("still");
    let path = |name: &str| dir.join(name).display().to_string();
    // The kernel accepts connections, and nobody answers.
    let _listener = UnixListener::bind(path("still")).unwrap();
    drop(UnixListener::bind(path("dead")).unwrap());
    let ask = |endpoint: &str| {
        let mut command = pfsnoop(&["forward", "kuard", ":80", "--runtime-endpoint"]);
        command.arg(path(endpoint));
        command
    };
    let begin = Instant::now();
    let still = format!("(asked: cri at {}: no answer in 5 s)", path("still"));
    assert_fails(&mut ask("still"), 1, &["no container runtime answers", &still, "pid/PID"]);
    assert!(begin.elapsed() < Duration::from_secs(20), "{:?}", begin.elapsed());
    assert_fails(&mut ask("dead"), 1, &[&format!("cri at {}: connection refused", path("dead"))]);
    assert_fails(&mut ask("none"), 1, &[&format!("cri at {}: no such socket", path("none"))]);
}

#[test]
fn only_the_chosen_runtime_is_asked() {
    let dir = TempDir::new("chosen-cri");
    let socket = dir.join("cri.sock");
    let listener = UnixListener::bind(&socket).unwrap();
    listener.set_nonblocking(true).unwrap();
    let docker = Docker::start("chosen");
    let ask = |runtime: &str| {
        let mut command = pfsnoop(&["forward", "kuard", ":80", "--runtime", runtime]);
        command.env("DOCKER_HOST", docker.host());
        command.env("CONTAINER_RUNTIME_ENDPOINT", &socket);
        command
    };
    assert_fails(&mut ask("docker"), 1, &["no pod \"default/kuard\"", "(asked: docker at "]);
    let nobody = listener.accept().unwrap_err();
    assert_eq!(nobody.kind(), std::io::ErrorKind::WouldBlock);
    assert_fails(
        &mut ask("auto"),
        1,
        &["asked: docker at ", ": 0 pods, 0 containers; cri at ", ": no answer in 5 s"],
    );
    assert!(listener.accept().is_ok());

    let own = docker.own_containerd();
    let mut ask = pfsnoop(&["forward", "kuard", ":80", "--runtime-endpoint"]);
    assert_fails(ask.arg(&own), 1, &["does not serve runtime.v1.RuntimeService"]);
    assert_fails(
        &mut pfsnoop(&["forward", "x", ":80", "--runtime-endpoint", "tcp://a:1"]),
        2,
        &["a runtime\'s endpoint is a unix socket"],
    );
}

#[test]
fn records_name_containers_and_pods_of_containerd() {
    let containerd = Containerd::start("cri-owner");
    let pod = containerd.run_pod("shop", "kuard", "in shop", 8080);
    let mut snoop = Running::start_attached(
        pfsnoop(&["-o", "json", "-n", "mkdir", "-v"])
            .env("CONTAINER_RUNTIME_ENDPOINT", containerd.endpoint()),
    );
    containerd.cri().exec(&pod.web, &["/bin/mkdir", "-p", "/m-cri"]);
    let row = snoop.stdout_line("mkdir's record", |line| line.contains("/m-cri"));
    let record = parse_record(&row);
    let container = serde_json::json!(
        {"id": pod.web, "runtime": "containerd", "name": "web", "confirmed": true}
    );
    assert_eq!(record["container"], container);
    let uid = containerd::UID;
    let expected = serde_json::json!({"namespace": "shop", "name": "kuard", "uid": uid});
    assert_eq!(record["pod"], expected);
}

#[test]
fn a_stopped_runtime_delays_one_row_and_not_each() {
    let containerd = Containerd::start("cri-frozen");
    let loop_from_go = "while sleep 0.1; do [ -e /go ] && /bin/mkdir -p /m-frozen; done & echo x";
    let pod = containerd.run_pod("shop", "kuard", &format!("x; {loop_from_go}"), 8080);
    let mut snoop = Running::start_attached(
        pfsnoop(&["-o", "json", "-n", "mkdir", "-l", "/m-frozen", "-v"])
            .env("CONTAINER_RUNTIME_ENDPOINT", containerd.endpoint()),
    );
    let frozen = containerd.freeze();
    std::fs::write(format!("/proc/{}/root/go", Containerd::pid_in(&pod)), "").unwrap();
    let begin = Instant::now();
    eventually("rows", || (snoop.stdout().len() >= 10).then_some(()));
    assert!(begin.elapsed() < Duration::from_secs(15), "{:?}", begin.elapsed());
    let row = parse_record(&snoop.stdout()[9]);
    assert_eq!(row["container"]["id"], pod.web.as_str(), "the id comes from the cgroup");
    // On a busy machine, the runtime is stopped before pfsnoop has connected to it.
    snoop.stderr_line("warning", |line| {
        line.contains("containerd") && line.contains("no answer in ")
    });
    drop(frozen);
}
