//! The addresses that the native dialer tries beyond localhost: only those of the target itself.

use std::process::Command;

use crate::common::running::Running;
use crate::common::{eventually, output, pfsnoop, stdout_of, system};
use crate::support::containerd::Containerd;
use crate::support::docker::Docker;
use crate::support::doctor::{fix, severity};
use crate::support::forward::{get, start_listening};
use crate::support::netns::process_in_new_netns;
use crate::support::pod::DemoPod;
use crate::support::records::parse;
use crate::support::service::{self, Service};

/// A program inside the network namespace of a process.
fn inside(pid: u32, args: &[&str]) -> Command {
    let mut command = system("nsenter");
    command.args(["-t", &pid.to_string(), "-n"]).args(args);
    command
}

/// `pfsnoop` inside the network namespace of a process.
fn pfsnoop_inside(pid: u32, args: &[&str]) -> Command {
    inside(pid, &[&[env!("CARGO_BIN_EXE_pfsnoop")], args].concat())
}

/// A request from inside the network namespace of a process.
fn get_inside(pid: u32, port: u16) -> String {
    let connect = format!("TCP4:127.0.0.1:{port}");
    let answer = output(&mut inside(pid, &["socat", "-u", &connect, "-"]));
    crate::common::text(&answer.stdout)
}

fn assert_refused(forward: &mut Running, port: u16) {
    let part = format!("-> {port}: cannot connect to port {port} inside the target: ");
    let said = forward.stderr_line("the failure", |line| line.contains(&part));
    assert!(said.contains("refused"), "{said}");
    let stdout = forward.stdout();
    assert!(!stdout.iter().any(|line| line.contains(service::ADDRESS)), "{stdout:#?}");
}

/// The node's own network is the one that pfsnoop runs in, however the target names it.
#[test]
fn in_the_nodes_own_network_only_localhost_is_tried() {
    let node = process_in_new_netns();
    stdout_of(&mut inside(node.pid(), &["ip", "link", "set", "lo", "up"]));
    let _service = Service::start(node.pid(), 7060);
    let by_pid = format!("pid/{}", node.pid());
    let by_file = format!("netns//proc/{}/ns/net", node.pid());
    for target in [&*by_pid, &by_file, "netns//proc/self/ns/net"] {
        let args = ["forward", target, ":7060", "--dialer", "native", "--no-watch"];
        let (mut forward, local) = start_listening(&mut pfsnoop_inside(node.pid(), &args));
        assert_eq!(get_inside(node.pid(), local), "", "{target}");
        assert_refused(&mut forward, 7060);
    }

    // The doctor dials by the same rule. A server at another address of the node needs a listener
    // on localhost.
    let listen = "TCP4-LISTEN:7061,bind=10.97.7.1,fork";
    let _server = Running::start(&mut inside(node.pid(), &["socat", listen, "SYSTEM:true"]));
    let findings = eventually("the server", || {
        let args = ["doctor", "-o", "json", &by_pid, "7060", "7061"];
        let findings = output(&mut pfsnoop_inside(node.pid(), &args)).stdout;
        let findings = crate::common::text(&findings);
        let findings = parse(&findings.lines().collect::<Vec<_>>());
        let listens = |finding: &serde_json::Value| {
            finding["what"].as_str().is_some_and(|what| what.starts_with("7061 listens"))
        };
        findings.iter().any(listens).then_some(findings)
    });
    for port in ["7060", "7061"] {
        let part = format!("native to {port} fails");
        assert_eq!(severity(&findings, "dial.native", &part), "fail");
    }
    let of_listener: Vec<_> =
        findings.iter().filter(|one| one["check"] == "target.listens").collect();
    assert!(
        of_listener[1]["fix"].as_str().unwrap().contains(" TCP4:10.97.7.1:7061"),
        "{findings:#?}"
    );
    assert!(!fix(&findings, "dial.native").contains("--dialer native"), "{findings:#?}");
}

/// A load balancer that leaves the client's destination address in place has the address of the
/// service on the loopback interface of each server.
#[test]
fn without_a_runtime_addresses_on_the_loopback_interface_are_not_tried() {
    let pod = DemoPod::start();
    pod.add_address("10.88.0.5/32");
    stdout_of(&mut pod.inside(&["ip", "address", "add", "10.88.0.6/32", "dev", "lo"]));
    let serve = |bind: &str, port: u16| {
        let listen = format!("TCP4-LISTEN:{port},bind={bind},fork,reuseaddr");
        pod.serve(port, &["socat", &listen, "SYSTEM:cat > /dev/null; echo hello"])
    };
    let _servers = [serve("10.88.0.5", 7062), serve("10.88.0.6", 7063)];
    let target = pod.target();
    for (port, answer) in [("7062", "hello\n"), ("7063", "")] {
        let args = ["forward", "--dialer", "native", "--no-watch", &target, &format!(":{port}")];
        let (_forward, local) = start_listening(&mut pfsnoop(&args));
        let connect = format!("TCP4:127.0.0.1:{local}");
        let client = output(system("socat").args(["-t", "5", "-", &connect]));
        assert_eq!(crate::common::text(&client.stdout), answer, "{port}");
    }
}

#[test]
fn a_pod_is_reached_at_the_addresses_that_its_runtime_reports_and_at_no_others() {
    let containerd = Containerd::start("own-cri");
    let serve = "ip=$(ip -4 address show eth0 | sed -n 's/.*inet \\([0-9.]*\\).*/\\1/p'); \
                 mkdir /www; echo by its own > /www/index.html; exec httpd -f -p $ip:7064 -h /www";
    let pod = containerd.run_command("shop", "kuard", serve);
    let _service = Service::start(Containerd::pid_in(&pod), 7065);
    let endpoint = containerd.endpoint();
    for target in ["kuard", "container/web"] {
        let args = ["forward", target, "-n", "shop", ":7064", "--dialer", "native", "--no-watch"];
        let with = |command: &mut Command| {
            command.args(["--runtime-endpoint", &endpoint]);
            start_listening(command)
        };
        let (mut forward, local) = with(&mut pfsnoop(&args));
        eventually("the page", || get("127.0.0.1", local).ends_with("by its own\n").then_some(()));
        forward.stdout_line("the address", |line| line.contains(" at 10.251."));
        let args = args.map(|arg| if arg == ":7064" { ":7065" } else { arg });
        let (mut forward, local) = with(&mut pfsnoop(&args));
        assert_eq!(get("127.0.0.1", local), "");
        assert_refused(&mut forward, 7065);
    }
}

#[test]
fn a_container_of_docker_is_reached_at_the_addresses_that_docker_reports() {
    let docker = Docker::start("own-docker");
    let subnet = ["--subnet", "10.250.7.0/24", "--internal"];
    stdout_of(docker.client().args(["network", "create", "own"]).args(subnet));
    let serve = "ip=$(ip -4 address show eth0 | sed -n 's/.*inet \\([0-9.]*\\).*/\\1/p'); \
                 mkdir /www; echo by its own > /www/index.html; exec httpd -f -p $ip:7066 -h /www";
    let pid = docker.run_with("web", "own", &[], serve);
    docker.run_with("sidecar", "container:web", &[], "exec sleep 1000");
    let _service = Service::start(pid, 7067);
    for target in ["container/web", "container/sidecar"] {
        let args = ["forward", target, ":7066", "--dialer", "native", "--no-watch"];
        let with =
            |command: &mut Command| start_listening(command.env("DOCKER_HOST", docker.host()));
        let (mut forward, local) = with(&mut pfsnoop(&args));
        eventually("the page", || get("127.0.0.1", local).ends_with("by its own\n").then_some(()));
        forward.stdout_line("the address", |line| line.contains(" at 10.250.7."));
        let args = args.map(|arg| if arg == ":7066" { ":7067" } else { arg });
        let (mut forward, local) = with(&mut pfsnoop(&args));
        assert_eq!(get("127.0.0.1", local), "");
        assert_refused(&mut forward, 7067);
    }
    stdout_of(docker.client().args(["rm", "--force", "web", "sidecar"]));
    stdout_of(docker.client().args(["network", "rm", "own"]));
}
