//! `pfsnoop doctor TARGET`: each check of a target, where it passes and where it fails.

use serde_json::Value;

use crate::common::running::Running;
use crate::common::{eventually, pfsnoop, stdout_of, system};
use crate::support::containerd::Containerd;
use crate::support::docker::{Docker, container_name};
use crate::support::doctor::{examine, find, fix, severity};
use crate::support::pod::DemoPod;
use crate::support::processes::assert_no_process_with;
use crate::support::websocket::PortForward;

/// The findings about ports of the pod, and the exit code.
pub fn check_target(pod: &DemoPod, ports: &[&str]) -> (Vec<Value>, Option<i32>) {
    examine(&mut pfsnoop(&[&["doctor", "-o", "json", &pod.target()], ports].concat()))
}

/// A server in the pod at a listening address of socat.
pub fn echo_server(pod: &DemoPod, address: &str, port: u16) -> Running {
    pod.serve(port, &["socat", address, "SYSTEM:echo served"])
}

#[test]
fn a_healthy_target_passes_every_check() {
    let pod = DemoPod::start();
    for ports in [&["8080"][..], &[]] {
        let (findings, code) = check_target(&pod, ports);
        for (check, part) in [
            ("target.found", "pid/"),
            ("target.process", "is alive"),
            ("target.netns", "is its own"),
            ("target.loopback", "is up"),
            ("target.localhost", "localhost is 127.0.0.1"),
            ("target.listens", "8080 listens on 0.0.0.0"),
            ("dial.nsenter", "connects to 8080"),
            ("dial.native", "connects to 8080, at 127.0.0.1"),
        ] {
            assert_eq!(severity(&findings, check, part), "ok");
        }
        assert_eq!((findings.len(), code), (8, Some(0)));
        for check in ["target.found", "target.loopback", "dial.nsenter", "dial.native"] {
            assert!(find(&findings, check, "").unwrap()["duration_ns"].as_u64() > Some(0));
        }
        // The kernel's record names socat's namespace.
        let netns = std::fs::read_link(format!("/proc/{}/ns/net", pod.pause)).unwrap();
        let record = format!("was nsenter, became socat in {}", netns.display());
        assert!(find(&findings, "dial.nsenter", &record).is_some(), "{findings:#?}");
    }
    assert_no_process_with(&format!("-t {} -n", pod.pause));
}

#[test]
fn servers_that_localhost_does_not_reach() {
    let pod = DemoPod::start();
    pod.add_address("10.88.0.5/32");
    let _servers = [
        echo_server(&pod, "TCP4-LISTEN:7101,bind=10.88.0.5,fork", 7101),
        echo_server(&pod, "TCP6-LISTEN:7102,bind=[::1],ipv6only,fork", 7102),
    ];
    let (findings, code) = check_target(&pod, &["7101", "7102", "9", "8080"]);
    assert_eq!(code, Some(1));
    for (check, part) in [
        (
            "target.listens",
            "7101 listens on 10.88.0.5 only; kubectl port-forward dials localhost and will be refused",
        ),
        ("target.listens", "7102 listens on [::1] only; `TCP4:localhost` cannot reach it"),
        ("target.listens", "nothing listens on 9; 7101, 7102 and 8080 do"),
        ("dial.nsenter", "nsenter+socat to 7101 fails: exit status 1: "),
        ("dial.nsenter", "127.0.0.1:7102, 16): Connection refused; the kernel saw: process "),
        ("dial.nsenter", ", exited 1"),
        ("dial.native", "native to 9 fails: cannot connect to port 9 inside the target"),
    ] {
        assert_eq!(severity(&findings, check, part), "fail");
    }
    for (part, port) in [("7101 listens", 7101), ("7102 listens", 7102)] {
        let native = format!("pfsnoop forward pid/{} {port} --dialer native", pod.pause);
        assert_eq!(find(&findings, "target.listens", part).unwrap()["fix"], native);
    }
    let other = format!("pfsnoop doctor pid/{} 7101", pod.pause);
    assert_eq!(find(&findings, "target.listens", "nothing").unwrap()["fix"], other);
    assert_eq!(find(&findings, "dial.native", "to 9 fails").unwrap()["fix"], other);
    for (check, part) in [
        ("dial.native", "connects to 7101, at 10.88.0.5"),
        ("target.listens", "8080 listens on 0.0.0.0"),
        ("dial.nsenter", "connects to 8080"),
    ] {
        assert_eq!(severity(&findings, check, part), "ok");
    }
    assert_eq!(severity(&findings, "dial.native", "connects to 7102, at ::1; containerd"), "warn");
}

#[test]
fn a_loopback_that_is_down_and_the_fix() {
    let pod = DemoPod::start();
    stdout_of(&mut pod.inside(&["ip", "link", "set", "lo", "down"]));
    let (findings, code) = check_target(&pod, &["8080"]);
    assert_eq!((severity(&findings, "target.loopback", "is down"), code), ("fail", Some(1)));
    stdout_of(system("sh").args(["-c", fix(&findings, "target.loopback")]));
    let (findings, code) = check_target(&pod, &["8080"]);
    assert_eq!((severity(&findings, "target.loopback", "is up"), code), ("ok", Some(0)));

    // Without a process, the fix enters the namespace by its file.
    stdout_of(&mut pod.inside(&["ip", "link", "set", "lo", "down"]));
    let target = format!("netns//proc/{}/ns/net", pod.pause);
    let by_file = || examine(&mut pfsnoop(&["doctor", "-o", "json", &target, "8080"]));
    let (findings, _) = by_file();
    let command = fix(&findings, "target.loopback");
    assert!(command.contains("--net=/proc/"), "{command}");
    stdout_of(system("sh").args(["-c", command]));
    assert_eq!(by_file().1, Some(0));
}

#[test]
fn missing_processes_namespaces_and_helpers() {
    let pod = DemoPod::start();
    let doctor = |target: &str| examine(&mut pfsnoop(&["doctor", "-o", "json", target, "8080"]));
    let (gone, code) = doctor("pid/1073741824");
    assert_eq!(
        (severity(&gone, "target.process", "no process 1073741824"), code),
        ("fail", Some(1))
    );
    assert_eq!(fix(&gone, "target.process"), "pfsnoop targets");
    let (gone, code) = doctor("netns//nowhere");
    assert_eq!(
        (severity(&gone, "target.found", "is not a network namespace"), code),
        ("fail", Some(1))
    );
    assert_eq!(fix(&gone, "target.found"), "pfsnoop targets");
    let (alone, code) = doctor(&format!("netns//proc/{}/ns/net", pod.pause));
    assert_eq!(severity(&alone, "target.process", "no process of the target is known"), "note");
    assert_eq!(severity(&alone, "dial.nsenter", "was not tried"), "note");
    assert_eq!((severity(&alone, "dial.native", "connects to 8080"), code), ("ok", Some(0)));
    let (host, _) = doctor(&format!("pid/{}", std::process::id()));
    assert_eq!(severity(&host, "target.netns", "the node's own"), "note");

    let target = pod.target();
    let mut command = pfsnoop(&["doctor", "-o", "json", &target, "8080"]);
    let (missing, _) = examine(command.env("PATH", "/nonexistent"));
    let words = "unable to do port forwarding: socat not found";
    assert_eq!(severity(&missing, "dial.nsenter", words), "fail");
    let fix = fix(&missing, "dial.nsenter");
    assert!(fix.starts_with("export PATH=/"), "it is installed: {fix}");
    assert_eq!(severity(&missing, "dial.native", "connects"), "ok");
}

#[test]
fn pods_of_docker_and_of_containerd_that_run_and_that_do_not() {
    let docker = Docker::start("target-docker");
    let containerd = Containerd::start("target-cri");
    docker.run_pod("kuard");
    let shop = containerd.run_pod("shop", "web", "x", 8080);
    let doctor = |args: &[&str]| {
        let args = [&["doctor", "-o", "json", "-n", "shop"], args].concat();
        let mut command = pfsnoop(&args);
        command.env("DOCKER_HOST", docker.host());
        examine(command.env("CONTAINER_RUNTIME_ENDPOINT", containerd.endpoint()))
    };
    // The containers are up, their servers a moment later.
    let sound = |name: &str| {
        eventually("the server", || {
            let (findings, code) = doctor(&[name, "8080"]);
            (code == Some(0)).then_some(findings)
        })
    };
    let kuard = sound("kuard");
    assert_eq!(severity(&kuard, "target.found", "kuard -n shop was found, by docker"), "ok");
    let web = sound("web");
    assert_eq!(severity(&web, "target.found", "web -n shop was found, by containerd"), "ok");

    // containerd dials the IPv6 address that /etc/hosts has for localhost: here, none.
    containerd.cri().exec(&shop.web, &["/bin/sh", "-c", "httpd -p [::1]:8082"]);
    let (six, code) = doctor(&["web", "8082"]);
    assert_eq!(severity(&six, "target.listens", "8082 listens on [::1] only"), "warn");
    assert_eq!((severity(&six, "dial.native", "at ::1; containerd and"), code), ("fail", Some(1)));
    let url = containerd.cri().port_forward(&shop.sandbox, 8082);
    let mut forward = PortForward::open(&url, 8082);
    let words = std::iter::from_fn(|| forward.receive()).find(|(channel, _)| *channel == 1);
    let words = String::from_utf8(words.expect("an error").1).unwrap();
    assert!(words.contains("refused"), "so does the real one: {words}");
    assert_eq!(severity(&six, "dial.nsenter", "to 8082 fails"), "warn");

    containerd.stop_pod(&shop);
    let (stopped, code) = doctor(&["web", "8080"]);
    let words = "pod is not running. Current status=NotReady";
    assert_eq!((severity(&stopped, "target.running", words), code), ("fail", Some(1)));
    assert_eq!(fix(&stopped, "target.running"), "kubectl describe pod web -n shop");
    let (stopped, _) = doctor(&[&format!("container/{}", shop.web), "8080"]);
    assert_eq!(severity(&stopped, "target.running", "container not running ("), "fail");
    assert_eq!(fix(&stopped, "target.running"), format!("crictl inspect {}", shop.web));
    let app = container_name("web", "kuard");
    docker.kill(&app);
    let (stopped, _) = doctor(&[&format!("container/{app}"), "8080"]);
    assert_eq!(severity(&stopped, "target.running", "container not running ("), "fail");
    assert!(fix(&stopped, "target.running").starts_with("docker start "), "{stopped:#?}");
    let (unknown, code) = doctor(&["kuad", "8080"]);
    let words = "no pod \"shop/kuad\" on this node";
    assert_eq!((severity(&unknown, "target.found", words), code), ("fail", Some(1)));
    let (silent, _) = examine(&mut pfsnoop(&[
        "doctor",
        "-o",
        "json",
        "--runtime-endpoint",
        "/nowhere.sock",
        "kuard",
    ]));
    let words = "no container runtime answers";
    assert_eq!(severity(&silent, "target.found", words), "fail");
    assert_eq!(fix(&silent, "target.found"), "pfsnoop doctor");
}
