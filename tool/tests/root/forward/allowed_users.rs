//! `--allow-uid`: who may use a forward.

use std::io::{ErrorKind, Read as _};
use std::net::TcpStream;
use std::os::unix::process::CommandExt as _;
use std::process::Command;

use serde_json::{Value, json};

use crate::common::running::Running;
use crate::common::{TEST_TIMEOUT, eventually, output, pfsnoop, system, text};
use crate::support::exec::run_as;
use crate::support::forward::{start_json, start_listening};
use crate::support::nobody::NOBODY;
use crate::support::pod::DemoPod;
use crate::support::records::{closed, in_state};

/// A forward of the demo pod's page that only the users in this list may use.
fn forward(pod: &DemoPod, uids: &str, more: &[&str]) -> (Running, u16) {
    let target = pod.target();
    let args =
        ["forward", "-o", "json", "--dialer", "native", "--allow-uid", uids, &target, ":8080"];
    let (forward, locals) = start_json(pfsnoop(&args).args(more), 1);
    (forward, locals[0])
}

/// curl as this user. Returns the page, if there is one.
fn page_for(uid: u32, url: &str, options: &[&str]) -> Option<String> {
    let mut curl = Command::new("/usr/bin/curl");
    curl.args(["-sg", "--noproxy", "*", "-m", "20", url]).args(options).uid(uid);
    let output = output(&mut curl);
    output.status.success().then(|| text(&output.stdout))
}

fn reasons(forward: &Running) -> Vec<String> {
    let all = in_state(forward, "closed");
    all.iter().map(|record| record["reason"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn only_the_allowed_users_get_through() {
    let pod = DemoPod::start();
    for (uids, nobody, root) in
        [("0", false, true), ("nobody", true, false), ("0,65534", true, true)]
    {
        let (forward, local) = forward(&pod, uids, &[]);
        for address in ["127.0.0.1", "[::1]", "[::ffff:127.0.0.1]"] {
            for (uid, is_allowed) in [(NOBODY, nobody), (0, root)] {
                let url = format!("http://{address}:{local}/");
                let page = page_for(uid, &url, &[]);
                let is_served = page.as_ref().is_some_and(|page| page.contains("pfsnoop demo pod"));
                assert_eq!(is_served, is_allowed, "{uid} at {url}, allowed: {uids}: {page:?}");
            }
        }
        // A client may be bound to an interface.
        let url = format!("http://127.0.0.1:{local}/");
        assert_eq!(page_for(0, &url, &["--interface", "lo"]).is_some(), root, "{uids}");
        drop(forward);
    }
}

#[test]
fn a_client_that_is_not_allowed_is_reset_reported_and_counted() {
    let pod = DemoPod::start();
    let (forward, local) = forward(&pod, "1,2", &[]);
    let mut client = TcpStream::connect(("127.0.0.1", local)).unwrap();
    client.set_read_timeout(Some(TEST_TIMEOUT)).unwrap();
    let end = client.read(&mut [0]).unwrap_err();
    assert_eq!(end.kind(), ErrorKind::ConnectionReset);
    let record = closed(&forward, |_| true);
    let expected = (&json!("failed"), &json!(0), &json!(0));
    assert_eq!((&record["outcome"], &record["bytes_to_pod"], &record["bytes_from_pod"]), expected);
    let reason = record["reason"].as_str().unwrap();
    let from = client.local_addr().unwrap_or_else(|_| ([127, 0, 0, 1], 0).into());
    assert!(reason.contains("is a process of uid 0, which --allow-uid does not allow"), "{reason}");
    assert!(reason.contains(&from.ip().to_string()), "{reason}");
    assert!(record.get("address") == Some(&Value::Null) || record.get("address").is_none());

    let target = pod.target();
    let args = ["forward", "--dialer", "native", "--allow-uid", "1", &target, ":8080"];
    let (mut text, local) = start_listening(&mut pfsnoop(&args));
    assert!(page_for(0, &format!("http://127.0.0.1:{local}/"), &[]).is_none());
    text.stderr_line("the reason", |line| {
        line.contains("an error occurred forwarding") && line.contains("uid 0, which --allow-uid")
    });
    text.stdout_line("the end", |line| line.starts_with("Closed") && line.ends_with("failed"));
    let (_, stdout, _) = text.interrupt();
    assert!(stdout.iter().any(|line| line.contains("1 failed")), "counted: {stdout:#?}");
}

/// The attack: send a request and close the socket at once. Older kernels told that root has a socket that no
/// process has any more.
#[test]
fn a_client_that_has_closed_its_socket_is_nobodys() {
    let pod = DemoPod::start();
    let (forward, local) = forward(&pod, "0", &[]);
    // The forward is stopped meanwhile, so that it accepts the client after its end.
    forward.signal(rustix::process::Signal::STOP);
    let script = format!("printf 'GET / HTTP/1.0\\r\\n\\r\\n' > /dev/tcp/127.0.0.1/{local}");
    run_as(NOBODY, "/bin/bash", &["-c", &script]);
    forward.signal(rustix::process::Signal::CONT);
    eventually("it is refused", || (!reasons(&forward).is_empty()).then_some(()));
    let reasons = reasons(&forward);
    assert!(reasons[0].contains("no process in pfsnoop's network has the socket"), "{reasons:?}");
    assert_eq!(closed(&forward, |_| true)["bytes_to_pod"], 0);
}

/// A container, or another machine.
#[test]
fn a_client_in_another_network_namespace_is_refused() {
    let pod = DemoPod::start();
    let other = DemoPod::start();
    let name = format!("al{}", std::process::id() % 10_000);
    let script = format!(
        "ip link add {name} type veth peer name al1 netns /proc/{0}/ns/net && \
         ip address add 10.79.3.1/24 dev {name} && ip link set {name} up && \
         nsenter -t {0} -n sh -c 'ip address add 10.79.3.2/24 dev al1 && ip link set al1 up'",
        other.pause
    );
    assert!(system("sh").args(["-c", &script]).status().unwrap().success());
    // Everybody on the node may use it, and root listens at the port from which the client comes.
    let (forward, local) = forward(&pod, "0,65534", &["--address", "10.79.3.1,127.0.0.1"]);
    let _listener = std::net::TcpListener::bind("0.0.0.0:7988").unwrap();
    let url = format!("http://10.79.3.1:{local}/");
    let of_other = ["curl", "-s", "-m", "20", "--local-port", "7988", &url];
    assert!(!output(&mut other.inside(&of_other)).status.success());
    assert!(page_for(NOBODY, &url, &[]).is_some(), "a client of the node at the same address");
    let reasons = reasons(&forward);
    assert!(reasons[0].contains("no process in pfsnoop's network has the socket"), "{reasons:?}");
    let _ = system("ip").args(["link", "delete", &name]).status();
}

#[test]
fn users_that_do_not_exist_are_an_error() {
    for wrong in ["nosuchuser", "0,,1", "-1"] {
        let option = format!("--allow-uid={wrong}");
        let output = output(&mut pfsnoop(&["forward", "pid/1", "80", &option]));
        assert_eq!(output.status.code(), Some(2), "{wrong}");
        assert!(text(&output.stderr).contains("--allow-uid"), "{}", text(&output.stderr));
    }
}
