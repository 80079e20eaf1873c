//! `pfsnoop doctor TARGET`: each step of the road where it holds, and where it breaks.

use serde_json::Value;

use crate::attribution::start_pod;
use crate::doctor::{examine, find, severity};
use crate::native::inside;
use crate::support::containerd::Containerd;
use crate::support::docker::Docker;
use crate::support::leftovers::assert_no_process_with;
use crate::support::{eventually, pfsnoop, pod::DemoPod, running::Running, stdout_of, system};

/// The road to a process's namespace.
fn road(pod: &DemoPod, ports: &[&str]) -> (Vec<Value>, Option<i32>) {
    let target = format!("pid/{}", pod.pause);
    examine(&mut pfsnoop(&[&["doctor", "-o", "json", &target], ports].concat()))
}

/// A server in the pod, once it listens.
fn listening(pod: &DemoPod, address: &str, port: u16) -> Running {
    let server = Running::start(&mut inside(pod, &["socat", address, "SYSTEM:echo served"]));
    let listens = || stdout_of(&mut inside(pod, &["ss", "-Hltn"])).contains(&format!(":{port} "));
    eventually("the server", || listens().then_some(()));
    server
}

#[test]
fn a_sound_road_is_walked_to_its_end() {
    let pod = DemoPod::start();
    for ports in [&["8080"][..], &[]] {
        let (findings, code) = road(&pod, ports);
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
        // The kernel's record names the namespace in which socat was.
        let netns = std::fs::read_link(format!("/proc/{}/ns/net", pod.pause)).unwrap();
        let record = format!("was nsenter, became socat in {}", netns.display());
        assert!(find(&findings, "dial.nsenter", &record).is_some(), "{findings:#?}");
    }
    assert_no_process_with(&format!("-t {} -n", pod.pause));
}

#[test]
fn who_listens_where_localhost_does_not_lead() {
    let pod = DemoPod::start();
    stdout_of(&mut inside(&pod, &["ip", "address", "add", "10.88.0.5/32", "dev", "lo"]));
    let _servers = [
        listening(&pod, "TCP4-LISTEN:7101,bind=10.88.0.5,fork", 7101),
        listening(&pod, "TCP6-LISTEN:7102,bind=[::1],ipv6only,fork", 7102),
    ];
    let (findings, code) = road(&pod, &["7101", "7102", "9", "8080"]);
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
    for (check, part) in [
        ("dial.native", "connects to 7101, at 10.88.0.5"),
        ("dial.native", "connects to 7102, at ::1"),
        ("target.listens", "8080 listens on 0.0.0.0"),
        ("dial.nsenter", "connects to 8080"),
    ] {
        assert_eq!(severity(&findings, check, part), "ok");
    }
}

#[test]
fn loopback_that_is_down_and_its_cure() {
    let pod = DemoPod::start();
    stdout_of(&mut inside(&pod, &["ip", "link", "set", "lo", "down"]));
    let (findings, code) = road(&pod, &["8080"]);
    assert_eq!((severity(&findings, "target.loopback", "is down"), code), ("fail", Some(1)));
    let cure = find(&findings, "target.loopback", "").unwrap()["cure"].as_str().unwrap();
    stdout_of(system("sh").args(["-c", cure]));
    let (findings, code) = road(&pod, &["8080"]);
    assert_eq!((severity(&findings, "target.loopback", "is up"), code), ("ok", Some(0)));
}

#[test]
fn localhost_that_means_something_else() {
    let pod = DemoPod::start();
    let hosts = std::env::temp_dir().join(format!("pfsnoop-hosts-{}", std::process::id()));
    let with = |text: &str| {
        std::fs::write(&hosts, text).unwrap();
        let script = format!(
            "mount --bind {} /etc/hosts; exec {} doctor -o json pid/{} 8080",
            hosts.display(),
            env!("CARGO_BIN_EXE_pfsnoop"),
            pod.pause
        );
        examine(system("unshare").args(["--mount", "sh", "-c", &script])).0
    };
    let astray = with("127.0.0.9 x\n10.9.9.9 localhost\n");
    let part = "localhost is 10.9.9.9 in /etc/hosts";
    assert_eq!(severity(&astray, "target.localhost", part), "fail");
    assert_eq!(severity(&astray, "dial.nsenter", "to 8080 fails"), "fail");
    assert_eq!(severity(&with("::1 x\n"), "target.localhost", "localhost is not in"), "warn");
    assert_eq!(severity(&with("127.0.0.1 localhost\n"), "target.localhost", "127.0.0.1"), "ok");
    std::fs::remove_file(&hosts).unwrap();
}

#[test]
fn processes_namespaces_and_helpers_that_are_missing() {
    let pod = DemoPod::start();
    let doctor = |target: &str| examine(&mut pfsnoop(&["doctor", "-o", "json", target, "8080"]));
    let (gone, code) = doctor("pid/1073741824");
    assert_eq!(
        (severity(&gone, "target.process", "no process 1073741824"), code),
        ("fail", Some(1))
    );
    let (gone, code) = doctor("netns//nowhere");
    assert_eq!((severity(&gone, "target.found", "no network namespace"), code), ("fail", Some(1)));
    let (alone, code) = doctor(&format!("netns//proc/{}/ns/net", pod.pause));
    assert_eq!(severity(&alone, "target.process", "no process of it is known"), "note");
    assert_eq!(severity(&alone, "dial.nsenter", "was not tried"), "note");
    assert_eq!((severity(&alone, "dial.native", "connects to 8080"), code), ("ok", Some(0)));
    let (host, _) = doctor(&format!("pid/{}", std::process::id()));
    assert_eq!(severity(&host, "target.netns", "the node's own"), "note");

    let target = format!("pid/{}", pod.pause);
    let mut command = pfsnoop(&["doctor", "-o", "json", &target, "8080"]);
    let (missing, _) = examine(command.env("PATH", "/nonexistent"));
    let words = "unable to do port forwarding: socat not found";
    assert_eq!(severity(&missing, "dial.nsenter", words), "fail");
    assert_eq!(severity(&missing, "dial.native", "connects"), "ok");
}

#[test]
fn pods_of_docker_and_of_containerd_that_run_and_that_do_not() {
    let docker = Docker::start("road-docker");
    let containerd = Containerd::start("road-cri");
    start_pod(&docker, "kuard");
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

    // containerd dials IPv6 localhost by itself, Docker's road does not.
    containerd.cri().exec(&shop.web, &["/bin/sh", "-c", "httpd -p [::1]:8082"]);
    let (six, code) = doctor(&["web", "8082"]);
    assert_eq!(severity(&six, "target.listens", "8082 listens on [::1] only"), "warn");
    assert_eq!((severity(&six, "dial.native", "at ::1"), code), ("ok", Some(0)));

    containerd.stop_pod(&shop);
    let (stopped, code) = doctor(&["web", "8080"]);
    let words = "pod is not running. Current status=NotReady";
    assert_eq!((severity(&stopped, "target.running", words), code), ("fail", Some(1)));
    let app = format!("k8s_web_kuard_shop_{}_0", crate::attribution::UID);
    docker.kill(&app);
    let (stopped, _) = doctor(&[&format!("container/{app}"), "8080"]);
    assert_eq!(severity(&stopped, "target.running", "container not running ("), "fail");
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
}
