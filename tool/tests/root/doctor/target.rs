//! `pfsnoop doctor TARGET`: each step of the road where it holds, and where it breaks.

use serde_json::Value;

use crate::attribution::containers::start_pod;
use crate::doctor::daemons::StandIn;
use crate::doctor::node::{alone, examine, find, severity};
use crate::forward::native::inside;
use crate::support::containerd::Containerd;
use crate::support::docker::Docker;
use crate::support::leftovers::assert_no_process_with;
use crate::support::{eventually, pfsnoop, pod::DemoPod, running::Running, stdout_of, system};

/// The road to a process's namespace.
pub fn road(pod: &DemoPod, ports: &[&str]) -> (Vec<Value>, Option<i32>) {
    let target = format!("pid/{}", pod.pause);
    examine(&mut pfsnoop(&[&["doctor", "-o", "json", &target], ports].concat()))
}

/// A server in the pod, once it listens.
pub fn listening(pod: &DemoPod, address: &str, port: u16) -> Running {
    let server = Running::start(&mut inside(pod, &["socat", address, "SYSTEM:echo served"]));
    let listens = || stdout_of(&mut inside(pod, &["ss", "-Hltn"])).contains(&format!(":{port} "));
    eventually("the server", || listens().then_some(()));
    server
}

/// The command that mends what that check found.
pub fn cure<'a>(findings: &'a [Value], check: &str) -> &'a str {
    find(findings, check, "").unwrap()["cure"].as_str().unwrap()
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
    for (part, port) in [("7101 listens", 7101), ("7102 listens", 7102)] {
        let native = format!("pfsnoop forward pid/{} {port} --dialer native", pod.pause);
        assert_eq!(find(&findings, "target.listens", part).unwrap()["cure"], native);
    }
    let other = format!("pfsnoop doctor pid/{} 7101", pod.pause);
    assert_eq!(find(&findings, "target.listens", "nothing").unwrap()["cure"], other);
    assert_eq!(find(&findings, "dial.native", "to 9 fails").unwrap()["cure"], other);
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
    stdout_of(system("sh").args(["-c", cure(&findings, "target.loopback")]));
    let (findings, code) = road(&pod, &["8080"]);
    assert_eq!((severity(&findings, "target.loopback", "is up"), code), ("ok", Some(0)));

    // Where no process is known, the namespace's file leads there.
    stdout_of(&mut inside(&pod, &["ip", "link", "set", "lo", "down"]));
    let target = format!("netns//proc/{}/ns/net", pod.pause);
    let by_file = || examine(&mut pfsnoop(&["doctor", "-o", "json", &target, "8080"]));
    let (findings, _) = by_file();
    let cure = cure(&findings, "target.loopback");
    assert!(cure.contains("--net=/proc/"), "{cure}");
    stdout_of(system("sh").args(["-c", cure]));
    assert_eq!(by_file().1, Some(0));
}

/// Shell: `pod` starts a server on 127.0.0.1:7110 in a network namespace of its own; `$pod` is it.
const POD: &str = "\
    pod() { unshare --net sh -c 'ip link set lo up; \
    exec socat TCP4-LISTEN:7110,bind=127.0.0.1,fork,reuseaddr SYSTEM:true' & pod=$!
    until nsenter -t $pod -n ss -Hltn | grep -q :7110; do sleep 0.05; done; }";

#[test]
fn localhost_that_means_something_else() {
    let hosts = std::env::temp_dir().join(format!("pfsnoop-hosts-{}", std::process::id()));
    let with = |text: &str, script: &str| {
        std::fs::write(&hosts, text).unwrap();
        let hosts = hosts.display();
        alone(&format!(
            "{POD}\nmount --bind {hosts} /etc/hosts\npod\n{script}\n\
             $PFSNOOP doctor -o json pid/$pod 7110"
        ))
        .0
    };
    let astray = with("127.0.0.9 x\n10.9.9.9 localhost\n", "");
    let part = "localhost is 10.9.9.9 in /etc/hosts";
    assert_eq!(severity(&astray, "target.localhost", part), "fail");
    assert_eq!(severity(&astray, "dial.nsenter", "to 7110 fails"), "fail");
    let near = with("127.0.0.2 localhost\n", "");
    let part = "localhost is 127.0.0.2 in /etc/hosts: who listens on 127.0.0.1 is not reached";
    assert_eq!(severity(&near, "target.localhost", part), "warn");
    assert_eq!(severity(&near, "dial.nsenter", "to 7110 fails"), "fail");
    assert_eq!(severity(&with("127.0.0.1 localhost\n", ""), "target.localhost", "127.0.0.1"), "ok");

    for text in ["", "::1 x\n"] {
        let none = with(text, "");
        assert_eq!(severity(&none, "target.localhost", "localhost is not in"), "warn");
        let cure = cure(&none, "target.localhost");
        let mended = with(text, &format!("{cure} > /dev/null"));
        assert_eq!(severity(&mended, "target.localhost", "localhost is 127.0.0.1 in"), "ok");
    }
    // sed(1) puts another file in its place, which a mount of this one file does not allow.
    let cure = cure(&astray, "target.localhost");
    std::fs::write(&hosts, "10.9.9.9 localhost\n").unwrap();
    stdout_of(system("sh").args(["-c", &cure.replace("/etc/hosts", hosts.to_str().unwrap())]));
    assert_eq!(
        std::fs::read_to_string(&hosts).unwrap(),
        "127.0.0.1 localhost\n10.9.9.9 localhost\n"
    );
    std::fs::remove_file(&hosts).unwrap();
}

#[test]
fn localhost_is_in_the_files_of_who_spawns_socat() {
    // Theirs are sound: other tests' doctors see this stand-in too. Ours are not.
    let dir = std::env::temp_dir().join(format!("pfsnoop-spawner-{}", std::process::id()));
    std::fs::create_dir_all(&dir).unwrap();
    std::fs::write(dir.join("theirs"), "127.0.0.1 localhost\n").unwrap();
    std::fs::write(dir.join("ours"), "10.9.9.9 localhost\n").unwrap();
    let spawner = StandIn::new("cri-dockerd", "doctor-spawner");
    let (findings, _) = alone(&format!(
        "{POD}\npod\ncd {}; mount --bind ours /etc/hosts\n\
         unshare --mount sh -c 'mount --bind theirs /etc/hosts; exec {} 60' &\n{}\n\
         $PFSNOOP doctor -o json pid/$pod 7110",
        dir.display(),
        spawner.path(),
        spawner.is_up(),
    ));
    let part = "localhost is 127.0.0.1 in /etc/hosts of cri-dockerd (pid ";
    assert_eq!(severity(&findings, "target.localhost", part), "ok");
    assert_eq!(severity(&findings, "dial.nsenter", "10.9.9.9:7110"), "fail");
    std::fs::remove_dir_all(&dir).unwrap();
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
    assert_eq!(cure(&gone, "target.process"), "pfsnoop targets");
    let (gone, code) = doctor("netns//nowhere");
    assert_eq!((severity(&gone, "target.found", "no network namespace"), code), ("fail", Some(1)));
    assert_eq!(cure(&gone, "target.found"), "pfsnoop targets");
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
    let cure = cure(&missing, "dial.nsenter");
    assert!(cure.starts_with("export PATH=/"), "it is installed: {cure}");
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
    assert_eq!(severity(&six, "dial.nsenter", "to 8082 fails"), "warn");

    containerd.stop_pod(&shop);
    let (stopped, code) = doctor(&["web", "8080"]);
    let words = "pod is not running. Current status=NotReady";
    assert_eq!((severity(&stopped, "target.running", words), code), ("fail", Some(1)));
    assert_eq!(cure(&stopped, "target.running"), "kubectl describe pod web -n shop");
    let (stopped, _) = doctor(&[&format!("container/{}", shop.web), "8080"]);
    assert_eq!(severity(&stopped, "target.running", "container not running ("), "fail");
    assert_eq!(cure(&stopped, "target.running"), format!("crictl inspect {}", shop.web));
    let app = format!("k8s_web_kuard_shop_{}_0", crate::attribution::containers::UID);
    docker.kill(&app);
    let (stopped, _) = doctor(&[&format!("container/{app}"), "8080"]);
    assert_eq!(severity(&stopped, "target.running", "container not running ("), "fail");
    assert!(cure(&stopped, "target.running").starts_with("docker start "), "{stopped:#?}");
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
    assert_eq!(cure(&silent, "target.found"), "pfsnoop doctor");
}
