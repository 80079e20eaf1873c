//! A pod that is deleted, a container that is killed and a daemon that is stopped, each in the middle
//! of a transfer, with a real containerd and a real Docker, and by both ways into the pod.

use std::io::Read as _;
use std::net::TcpStream;
use std::process::Child;

use serde_json::Value;

use crate::common::running::Running;
use crate::common::{WaitInTime as _, eventually, pfsnoop};
use crate::support::containerd::{Containerd, Pod};
use crate::support::docker::Docker;
use crate::support::exclusive::exclusive_ring_buffers;
use crate::support::forward::start_json;
use crate::support::helper::{nsenter_socat, spawn_piped};
use crate::support::parts::{containerds, dockers};
use crate::support::records::{closed, sessions};
use crate::support::watch::watch_json;
use crate::support::websocket::PortForward;

/// Shell: sends without an end to the first client of that port.
fn flood(port: u16) -> String {
    format!("exec nc -l -p {port} -e yes")
}

fn assert_end(watch: &Running, port: u16, via: &str, outcome: &str, reason: &str) {
    let end = closed(watch, |record: &Value| record["port"] == port && record["via"] == via);
    assert_eq!(end["outcome"], outcome, "{end:#}");
    assert!(end["reason"].as_str().unwrap().contains(reason), "{end:#}");
    assert!(end["bytes_from_pod"].as_u64().unwrap() > 10_000, "{end:#}");
}

/// A client of containerd's own forward.
fn open_native(containerd: &Containerd, pod: &Pod, port: u16) -> PortForward {
    let mut forward = PortForward::open(&containerd.cri().port_forward(&pod.sandbox, port), port);
    let mut received = 0;
    while received < 50_000 {
        received += forward.receive().expect("more").1.len();
    }
    forward
}

/// A client of nsenter and socat, as cri-dockerd starts them.
fn open_helper(pid: u32, port: u16) -> (Child, std::process::ChildStdout) {
    // The server listens a moment after its container has started.
    eventually("an answer", || {
        let mut helper = spawn_piped(&mut nsenter_socat(pid, port));
        let mut stdout = helper.stdout.take().unwrap();
        if stdout.read_exact(&mut vec![0; 50_000]).is_ok() {
            return Some((helper, stdout));
        }
        helper.wait_in_time();
        None
    })
}

/// What happens to a pod.
type Ending = fn(&Containerd, &Pod);

/// Each version of containerd.
fn each_containerd(name: &str, job: impl Fn(Containerd)) {
    for programs in containerds() {
        job(Containerd::start_from(name, &programs));
    }
}

/// Both ways into pods of containerd, while `end` happens to the pod.
fn in_the_middle(containerd: &Containerd, first_port: u16, end: Ending, reason: &str) {
    let endpoint = containerd.endpoint();
    let (native, helped) = (first_port, first_port + 1);
    let pods = [native, helped]
        .map(|port| containerd.run_command("shop", &format!("web-{port}"), &flood(port)));
    let [native_pid, helped_pid] = pods.each_ref().map(Containerd::pid_in);
    assert_ne!(native_pid, helped_pid);
    crate::support::netns::in_netns_of(native_pid, || {
        eventually("the server", || {
            let listening = std::fs::read_to_string("/proc/thread-self/net/tcp6").unwrap();
            listening.contains(&format!(":{native:04X} ")).then_some(())
        });
    });
    let watch = watch_json(&["--runtime-endpoint", &endpoint]);
    let forward = open_native(containerd, &pods[0], native);
    let (mut helper, stdout) = open_helper(helped_pid, helped);
    for pod in &pods {
        end(containerd, pod);
    }
    // The end of a deleted pod's data may never come: the loopback that it takes is down.
    drop((forward, stdout, helper.stdin.take()));
    helper.wait_in_time();
    assert_end(&watch, native, "native", "target-gone", reason);
    let end = |record: &Value| {
        record["port"] == helped && record["bytes_from_pod"].as_u64() > Some(10_000)
    };
    let end = closed(&watch, end);
    assert_eq!(end["outcome"], "target-gone", "{end:#}");
    assert!(end["reason"].as_str().unwrap().contains(reason), "{end:#}");
}

#[test]
fn a_container_of_containerd_is_killed() {
    let kill: Ending = |containerd, pod| {
        containerd.cri().by_id("StopContainer", &pod.web).unwrap();
    };
    each_containerd("real-kill", |containerd| {
        in_the_middle(&containerd, 7080, kill, "SIGKILL ended the server's process");
    });
}

#[test]
fn a_sandbox_of_containerd_is_deleted() {
    let delete: Ending = |containerd, pod| {
        containerd.cri().by_id("StopPodSandbox", &pod.sandbox).unwrap();
        containerd.cri().by_id("RemovePodSandbox", &pod.sandbox).unwrap();
    };
    each_containerd("real-delete", |containerd| {
        in_the_middle(&containerd, 7082, delete, "");
    });
}

#[test]
fn containerd_is_stopped_under_an_open_forward() {
    each_containerd("real-stop", stopped);
}

fn stopped(mut containerd: Containerd) {
    let pod = containerd.run_command("shop", "web", &flood(7084));
    std::thread::sleep(std::time::Duration::from_millis(500));
    let watch = watch_json(&["--runtime-endpoint", &containerd.endpoint()]);
    let _forward = open_native(&containerd, &pod, 7084);
    containerd.terminate();
    assert_end(&watch, 7084, "native", "killed", "the forwarder ended (exit code 0)");
    // It ends its pods.
    containerd.start_again();
}

#[test]
fn a_container_of_docker_is_killed() {
    for version in dockers() {
        killed(&Docker::start_version("real-docker", version));
    }
}

fn killed(docker: &Docker) {
    for (n, dialer) in ["native", "nsenter"].into_iter().enumerate() {
        let port = 7086 + u16::try_from(n).unwrap();
        let name = format!("web-{dialer}");
        docker.run(&name, &flood(port));
        let watch = watch_json(&[]);
        let target = format!("container/{name}");
        let ports = format!(":{port}");
        let args = ["forward", "--dialer", dialer, "-o", "json", &target, &ports];
        let (forward, locals) = start_json(pfsnoop(&args).env("DOCKER_HOST", docker.host()), 1);
        let mut client = TcpStream::connect(("127.0.0.1", locals[0])).unwrap();
        client.read_exact(&mut vec![0; 50_000]).unwrap();
        docker.kill(&name);
        let _ = client.read_to_end(&mut Vec::new());
        drop(client);
        for observer in [&watch, &forward] {
            let end = closed(observer, |record: &Value| record["port"] == port);
            assert_eq!(end["outcome"], "target-gone", "{dialer}: {end:#}");
            assert_eq!(end["reason"], "SIGKILL ended the server's process in the target");
        }
    }
}

/// Its Go runtime chooses the thread that dials.
#[test]
fn each_of_ten_thousand_forwards_of_containerd_is_reported() {
    let _exclusive = exclusive_ring_buffers();
    each_containerd("real-many", |containerd| ten_thousand(&containerd));
}

fn ten_thousand(containerd: &Containerd) {
    const THREADS: usize = 4;
    const EACH: usize = 2500;
    let pod = containerd.run_pod("shop", "web", "x", 7088);
    eventually("the server", || {
        let mut forward =
            PortForward::open(&containerd.cri().port_forward(&pod.sandbox, 7088), 7088);
        forward.send(b"GET / HTTP/1.0\r\n\r\n");
        forward.receive().filter(|(channel, _)| *channel == 0)
    });
    let watch = watch_json(&["--runtime-endpoint", &containerd.endpoint()]);
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                for _ in 0..EACH {
                    let url = containerd.cri().port_forward(&pod.sandbox, 7088);
                    let mut forward = PortForward::open(&url, 7088);
                    forward.send(b"GET / HTTP/1.0\r\n\r\n");
                    assert_eq!(forward.receive().expect("a page").0, 0);
                }
            });
        }
    });
    let is_end = |line: &&String| line.contains(r#""state":"closed""#);
    eventually("the ends of all sessions", || {
        (watch.stdout().iter().filter(is_end).count() >= THREADS * EACH).then_some(())
    });
    let all = sessions(&watch, |record| record["port"] == 7088);
    assert_eq!(all.len(), 3 * THREADS * EACH);
    let good = |record: &&Value| record["state"] == "closed" && record["outcome"] == "ok";
    assert_eq!(all.iter().filter(good).count(), THREADS * EACH);
}
