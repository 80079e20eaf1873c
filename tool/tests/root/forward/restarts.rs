//! Targets that restart, in real runtimes, and targets that end for good.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::process::Command;
use std::time::{Duration, Instant};

use rustix::net::sockopt::set_socket_linger;
use rustix::process::Signal;
use serde_json::Value;

use crate::common::running::Running;
use crate::common::temp::temp_path;
use crate::common::{TEST_TIMEOUT, eventually, pfsnoop, stdout_of};
use crate::support::containerd::{self, Containerd};
use crate::support::docker::Docker;
use crate::support::forward::{forward, get, start_json, start_listening};
use crate::support::netns::process_in_new_netns;
use crate::support::pod::DemoPod;
use crate::support::processes::signal;
use crate::support::records::{in_state, records};

/// Serves a page on port 8080.
const SERVE: &str = "mkdir -p /www; echo page > /www/index.html; exec httpd -f -p 8080 -h /www";

fn in_docker(docker: &Docker, args: &[&str]) -> Command {
    let mut command = pfsnoop(&[&["forward"], args].concat());
    command.env("DOCKER_HOST", docker.host());
    command
}

fn pid_of(docker: &Docker, name: &str) -> u64 {
    let pid = stdout_of(docker.client().args(["inspect", "--format", "{{.State.Pid}}", name]));
    pid.trim().parse().unwrap()
}

/// A client that has sent its request.
fn ask(port: u16) -> TcpStream {
    let mut client = TcpStream::connect(("127.0.0.1", port)).unwrap();
    client.set_read_timeout(Some(TEST_TIMEOUT)).unwrap();
    client.write_all(b"GET / HTTP/1.0\r\n\r\n").unwrap();
    client
}

fn answer(mut client: TcpStream) -> String {
    let mut page = String::new();
    // A reset ends it too.
    let _ = client.read_to_string(&mut page);
    page
}

fn serves(port: u16) {
    eventually("the page", || get("127.0.0.1", port).ends_with("page\n").then_some(()));
}

#[test]
fn a_container_that_restarts_is_followed_and_a_client_waits_for_it() {
    let docker = Docker::start("restart");
    docker.run("web", SERVE);
    let id = docker.id("web");
    let by_id = format!("container/{}", &id[..12]);
    for (dialer, target) in [("native", "container/web"), ("nsenter", &by_id)] {
        let old = pid_of(&docker, "web");
        let args = [target, ":8080", "--dialer", dialer, "-o", "json"];
        let (mut forward, locals) = start_json(&mut in_docker(&docker, &args), 1);
        serves(locals[0]);
        // A record comes a moment after its connection.
        eventually("the first session", || in_state(&forward, "closed").pop());
        stdout_of(docker.client().args(["kill", "web"]));
        let before = in_state(&forward, "started").len();
        let client = ask(locals[0]);
        // The session begins while nothing runs.
        eventually("its session", || (in_state(&forward, "started").len() > before).then_some(()));
        stdout_of(docker.client().args(["start", "web"]));
        assert!(answer(client).ends_with("page\n"), "{dialer}: {:#?}", forward.stderr());
        let new = pid_of(&docker, "web");
        let line = format!(
            "pfsnoop: process {old} has ended; container web has restarted and is now process {new}"
        );
        forward.stderr_line("the restart", |said| said == line);
        let end = eventually("the end", || {
            in_state(&forward, "closed").into_iter().find(|end| end["target"]["pid"] == new)
        });
        assert_eq!(end["outcome"], "ok", "{end}");
        serves(locals[0]);
        let last = eventually("a session that begins with it", || {
            in_state(&forward, "started").pop().filter(|last| last["target"]["pid"] == new)
        });
        assert_eq!(last["target"]["container"]["name"], "web");
        if dialer == "nsenter" {
            let execs: Vec<Value> =
                records(&forward).into_iter().filter(|one| one["type"] == "exec").collect();
            assert_eq!(execs.last().unwrap()["container"]["id"], id.as_str());
        }
        let restarts = forward.stderr().iter().filter(|line| line.contains("restarted")).count();
        assert_eq!(restarts, 1, "{:#?}", forward.stderr());
    }
    // The whole of `docker restart`, again and again.
    let (forward, local) = start_listening(&mut in_docker(&docker, &["container/web", ":8080"]));
    for n in 1..=3 {
        stdout_of(docker.client().args(["restart", "--time", "0", "web"]));
        eventually("the restart", || {
            let restarts =
                forward.stderr().iter().filter(|line| line.contains("restarted")).count();
            (restarts == n).then_some(())
        });
        serves(local);
    }
}

#[test]
fn without_a_restart_in_time_the_client_gets_an_error() {
    let docker = Docker::start("no-restart");
    docker.run("web", SERVE);
    let old = pid_of(&docker, "web");
    for (wait, words) in [("0", "did not run again: "), ("1.5", "did not run again within 1.5 s: ")]
    {
        let args = ["container/web", ":8080", "--wait-restart", wait, "-o", "json"];
        let (mut forward, locals) = start_json(&mut in_docker(&docker, &args), 1);
        serves(locals[0]);
        let pid = pid_of(&docker, "web");
        stdout_of(docker.client().args(["kill", "web"]));
        let start = Instant::now();
        assert_eq!(answer(ask(locals[0])), "");
        let took = start.elapsed();
        let expected = Duration::from_secs_f64(wait.parse().unwrap());
        assert!(took >= expected && took < expected + Duration::from_secs(8), "{took:?}");
        forward.stderr_line("the reason", |line| {
            line.contains(&format!("process {pid} has ended, and container web {words}"))
        });
        let end = eventually("the end", || {
            in_state(&forward, "closed").into_iter().find(|end| end["outcome"] == "target-gone")
        });
        assert_eq!(end["target"]["pid"], pid, "{end}");
        // The forward itself goes on.
        stdout_of(docker.client().args(["start", "web"]));
        forward
            .stderr_line("the restart", |line| line.contains("has restarted and is now process"));
        serves(locals[0]);
    }
    assert_ne!(old, pid_of(&docker, "web"));
}

#[test]
fn clients_that_wait_hold_a_slot_until_they_leave_or_the_forward_is_stopped() {
    let docker = Docker::start("waiting");
    docker.run("web", SERVE);
    // Only the client that leaves frees its slot.
    let wait = ["--wait-restart", "600", "--no-watch"];
    let args = [&["container/web", ":8080", "--max-connections", "1"][..], &wait].concat();
    let (mut forward, local) = start_listening(&mut in_docker(&docker, &args));
    serves(local);
    stdout_of(docker.client().args(["kill", "web"]));
    let handled = |forward: &Running| {
        forward.stdout().iter().filter(|line| line.starts_with("Handling")).count()
    };
    let before = handled(&forward);
    let first = ask(local);
    eventually("it is accepted", || (handled(&forward) > before).then_some(()));
    assert_eq!(answer(ask(local)), "", "turned away");
    forward.stderr_line("why", |line| line.contains("--max-connections"));
    set_socket_linger(&first, Some(Duration::ZERO)).unwrap();
    drop(first);
    let mut second = eventually("a free slot", || {
        let client = ask(local);
        client.set_read_timeout(Some(Duration::from_millis(300))).unwrap();
        let waits = (&client)
            .read(&mut [0])
            .is_err_and(|error| error.kind() == std::io::ErrorKind::WouldBlock);
        waits.then_some(client)
    });
    second.set_read_timeout(Some(TEST_TIMEOUT)).unwrap();
    let start = Instant::now();
    forward.signal(Signal::INT);
    assert!(!second.read(&mut [0]).is_ok_and(|read| read > 0), "closed");
    assert!(forward.wait().success());
    assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
}

fn in_containerd(containerd: &Containerd, args: &[&str]) -> Command {
    let mut command = pfsnoop(&[&["forward"], args].concat());
    command.args(["--runtime-endpoint", &containerd.endpoint()]);
    command
}

/// A pod made anew has another sandbox and another uid. The runtime is down for a while.
#[test]
fn a_pod_made_anew_under_its_name_is_followed_and_no_other_pod() {
    let mut containerd = Containerd::start("anew");
    let old = containerd.run_pod("shop", "kuard", "old", 8080);
    let args = ["kuard", "-n", "shop", ":8080", "--dialer", "native", "-o", "json"];
    let (mut forward, locals) = start_json(&mut in_containerd(&containerd, &args), 1);
    eventually("the page", || get("127.0.0.1", locals[0]).ends_with("old\n").then_some(()));
    // The same name in another namespace is another pod.
    containerd.run_pod("default", "kuard", "another", 8080);
    containerd.stop_pod(&old);
    let client = ask(locals[0]);
    std::thread::sleep(Duration::from_secs(1));
    containerd.terminate();
    std::thread::sleep(Duration::from_secs(1));
    containerd.start_again();
    let uid = "99999999-9abc-def0-1234-56789abcdef0";
    containerd.run_pod_with_uid("shop", "kuard", uid, "new", 8080);
    let page = answer(client);
    assert!(page.ends_with("new\n"), "{page:?} {:#?}", forward.stderr());
    forward.stderr_line("the restart", |line| {
        line.contains("has ended; pod shop/kuard has restarted and is now process ")
            && line.contains(&format!("pod uid {uid})"))
    });
    let end = eventually("the end", || {
        let ended = in_state(&forward, "closed");
        ended
            .last()
            .filter(|end| end["outcome"] == "ok" && end["target"]["pod"]["uid"] == uid)
            .cloned()
    });
    assert_eq!(end["target"]["pod"]["uid"], uid, "{end}");
    let first = &in_state(&forward, "closed")[0];
    assert_eq!(first["target"]["pod"]["uid"], containerd::UID, "{first}");
}

/// The kubelet makes a new container in the same sandbox.
#[test]
fn a_container_made_anew_in_its_sandbox_is_followed_and_no_other_pods_container() {
    let containerd = Containerd::start("anew-app");
    for (dialer, pod, is_by_id) in [("native", "one", false), ("nsenter", "two", true)] {
        let old = containerd.run_pod("shop", pod, "old", 8080);
        let by_id = format!("container/{}", &old.web[..12]);
        let target = if is_by_id { &*by_id } else { "container/web" };
        let args = [target, ":8080", "--dialer", dialer];
        let (mut forward, local) = start_listening(&mut in_containerd(&containerd, &args));
        eventually("a page", || get("127.0.0.1", local).ends_with("old\n").then_some(()));
        // Its container has the same name, and is the only one of that name for a while.
        let other = containerd.run_pod("shop", "other", "another", 8080);
        let server = Containerd::pid_in(&old);
        signal(server, Signal::KILL);
        // Until then, a connection still leads to it.
        eventually("its end", || {
            (!std::path::Path::new(&format!("/proc/{server}/ns/net")).exists()).then_some(())
        });
        let client = ask(local);
        std::thread::sleep(Duration::from_millis(700));
        let web = containerd.run_web_again(("shop", pod), &old, "new");
        let page = answer(client);
        assert!(page.ends_with("new\n"), "{page:?} {:#?}", forward.stderr());
        forward.stderr_line("the restart", |line| {
            line.contains(&format!("; container shop/{pod}/web has restarted and is now process "))
                && line.contains(&format!("(id {}, pod uid ", &web[..12]))
        });
        for pod in [old, other] {
            containerd.stop_pod(&pod);
            containerd.cri().by_id("RemovePodSandbox", &pod.sandbox).unwrap();
        }
    }
}

/// Nothing takes the place of a process or of a namespace.
#[test]
fn a_forward_to_a_process_or_a_file_ends_with_it() {
    for dialer in ["native", "nsenter"] {
        let mut target = process_in_new_netns();
        let (mut forward, _) = forward(target.pid(), &["--dialer", dialer, ":80"]);
        target.signal(Signal::KILL);
        target.wait();
        assert_eq!(forward.wait().code(), Some(1));
        let said = forward.end().2;
        let [line] = &said[..] else { panic!("{said:#?}") };
        assert!(line.contains(&format!("process {} has ended", target.pid())), "{line}");
    }
    let (pod, path) = (DemoPod::start(), temp_path("netns-ends"));
    let other = process_in_new_netns();
    let link = |pid: u32| {
        let new = temp_path("netns-new");
        std::os::unix::fs::symlink(format!("/proc/{pid}/ns/net"), &new).unwrap();
        std::fs::rename(new, &path).unwrap();
    };
    link(pod.pause);
    let target = format!("netns/{}", path.display());
    let (mut forward, local) = start_listening(&mut pfsnoop(&["forward", &target, ":8080"]));
    assert!(get("127.0.0.1", local).contains("pfsnoop demo pod"));
    link(other.pid());
    assert_eq!(forward.wait().code(), Some(1));
    let said = forward.stderr();
    let words = format!("{} no longer leads to the target's network namespace", path.display());
    assert!(said.iter().any(|line| line.contains(&words)), "{said:#?}");
    std::fs::remove_file(path).unwrap();
}

#[test]
fn open_connections_go_on_when_the_process_of_a_forward_has_ended() {
    let pod = DemoPod::start();
    let _server = pod.serve_fixture(7080, "serve-echo");
    let mut target = Running::start(&mut pod.inside(&["sleep", "60"]));
    eventually("it is inside", || {
        (crate::support::netns::netns_of(target.pid()) == pod.netns()).then_some(())
    });
    let (mut forward, locals) = forward(target.pid(), &["--dialer", "native", ":7080"]);
    let mut client = TcpStream::connect(("127.0.0.1", locals[0])).unwrap();
    client.set_read_timeout(Some(TEST_TIMEOUT)).unwrap();
    let mut echo = |byte: u8| {
        client.write_all(&[byte]).unwrap();
        client.read_exact(&mut [0]).unwrap();
    };
    echo(b'1');
    target.signal(Signal::KILL);
    target.wait();
    eventually("no new clients", || TcpStream::connect(("127.0.0.1", locals[0])).err());
    echo(b'2');
    assert!(!forward.has_exited());
    drop(client);
    assert_eq!(forward.wait().code(), Some(1));
    forward.stdout_line("a good end", |line| line.starts_with("Closed") && line.ends_with("ok"));
}
