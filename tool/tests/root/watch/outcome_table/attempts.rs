//! Connections that are not established.

use std::io::Read as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use rustix::process::Signal;
use serde_json::Value;

use super::case::{Case, Way, assert_end, is_at, ways};
use super::reasons::assert_same_reason;
use crate::common::temp::TempDir;
use crate::support::netns::netns_of;
use crate::support::pod::DemoPod;
use crate::support::processes::{child_of, signal};
use crate::support::records::{closed, sessions};

/// A pod, after a shell script has run in its network namespace.
fn pod_after(script: &str) -> DemoPod {
    let pod = DemoPod::start();
    assert!(pod.inside(&["sh", "-c", script]).status().unwrap().success());
    pod
}

/// Packets to this port are dropped. Without IPv6, there is no second attempt beside the first.
fn silent_pod(port: u16) -> DemoPod {
    let pod = pod_after("echo 1 > /proc/sys/net/ipv6/conf/all/disable_ipv6");
    pod.drop_packets_to(port);
    pod
}

/// The end of a connection whose client waits until it is over.
fn end_of(mut case: Case) -> Value {
    let _ = case.client.read_to_end(&mut Vec::new());
    case.end()
}

#[test]
fn nothing_listens() {
    for way in ways() {
        let end = end_of(Case::connect(&way, DemoPod::start(), 7088));
        assert_end(&end, "refused", "nothing listens at 127.0.0.1:7088");
    }
}

/// Without a route, connect(2) makes no connection that the kernel reports. Only a helper is seen.
#[test]
fn there_is_no_route() {
    for way in ways().split_off(1) {
        let pod = pod_after("ip route flush table local; ip -6 route flush table local");
        assert_end(&end_of(Case::connect(&way, pod, 7089)), "unreachable", "loopback up");
    }
}

#[test]
fn the_kernel_gives_up() {
    for way in ways() {
        let end = end_of(Case::connect(&way, silent_pod(7085), 7085));
        assert_end(&end, "timeout", "no answer in ");
    }
}

/// pfsnoop kills a helper that takes too long, and that is what an observer sees.
#[test]
fn the_forwarder_gives_up() {
    for way in ways() {
        let limit = ["--connect-timeout", "1"];
        let mut case = Case::connect_with(&way, &limit, silent_pod(7091), 7091, || {});
        let _ = case.client.read_to_end(&mut Vec::new());
        let [own, seen] = case.ends();
        assert_end(&own, "timeout", "the limit set by --connect-timeout");
        match way.dialer {
            "native" => assert_end(&seen, "timeout", "no answer in 1"),
            _ => assert_end(&seen, "killed", "SIGKILL ended socat"),
        }
        assert_same_reason(&own, &seen);
    }
}

/// The client does not wait for an answer. An observer sees only that the attempt ends.
#[test]
fn the_client_resets_the_connection_before_it_has_led_anywhere() {
    for way in ways() {
        let case = Case::connect(&way, silent_pod(7102), 7102);
        case.attempted();
        case.reset();
        let [own, seen] = case.ends();
        assert_end(&own, "reset", "the client closed the connection early");
        match way.dialer {
            "native" => assert_end(&seen, "timeout", "no answer in "),
            _ => assert_end(&seen, "killed", "SIGKILL ended socat"),
        }
        assert_same_reason(&own, &seen);
    }
}

#[test]
fn the_helper_is_killed_before_it_has_connected() {
    for way in ways().split_off(1) {
        for (number, name) in [(Signal::KILL, "SIGKILL"), (Signal::TERM, "SIGTERM")] {
            let mut case = Case::connect(&way, silent_pod(7092), 7092);
            case.attempted();
            signal(child_of(case.forward.pid(), "").unwrap(), number);
            let end = case.client.read_to_end(&mut Vec::new()).map_err(|error| error.kind());
            assert_eq!(end, Err(std::io::ErrorKind::ConnectionReset), "{way:?}");
            assert_end(&case.end(), "killed", &format!("{name} ended socat"));
            assert_eq!(case.end()["bytes_to_pod"], 0);
        }
    }
}

/// Copies of a way's nsenter and socat, to change.
fn copies(way: &Way, name: &str) -> (Way, TempDir) {
    let folder = TempDir::new(name);
    for program in ["nsenter", "socat"] {
        std::fs::copy(way.helpers.join(program), folder.join(program)).unwrap();
    }
    (Way { dialer: way.dialer, helpers: folder.path().to_owned() }, folder)
}

fn set_mode(file: &Path, mode: u32) {
    std::fs::set_permissions(file, std::fs::Permissions::from_mode(mode)).unwrap();
}

/// nsenter runs in a user namespace of its own, without rights outside: the real program, refused by the
/// real kernel.
#[test]
fn nsenter_may_not_enter() {
    for way in ways().split_off(1) {
        let (way, folder) = copies(&way, "may-not");
        let without_rights = || {
            let real = folder.join("real");
            std::fs::create_dir(&real).unwrap();
            std::fs::rename(folder.join("nsenter"), real.join("nsenter")).unwrap();
            let nsenter = real.join("nsenter").display().to_string();
            folder.script("nsenter", &format!("exec /usr/bin/unshare --user {nsenter} \"$@\""));
        };
        let case = Case::connect_with(&way, &[], DemoPod::start(), 7093, without_rights);
        let pause = case.pod.pause;
        let end = end_of(case);
        let reason = format!("nsenter could not enter process {pause} (exit code 1)");
        assert_end(&end, "failed", &reason);
    }
}

/// nsenter enters, and the kernel refuses to run socat.
#[test]
fn nsenter_cannot_run_socat() {
    for way in ways().split_off(1) {
        let (way, folder) = copies(&way, "cannot-run");
        let forbid = || set_mode(&folder.join("socat"), 0o644);
        let case = Case::connect_with(&way, &[], DemoPod::start(), 7094, forbid);
        assert_end(&end_of(case), "failed", "nsenter could not run socat (exit code 126)");
    }
}

#[test]
fn socat_is_missing() {
    for way in ways().split_off(1) {
        let (way, folder) = copies(&way, "missing");
        let remove = || std::fs::remove_file(folder.join("socat")).unwrap();
        let case = Case::connect_with(&way, &[], DemoPod::start(), 7096, remove);
        assert_end(&end_of(case), "helper-missing", "nsenter did not find socat");
    }
}

/// No helper starts, so only the forwarder has a session.
#[test]
fn nsenter_itself_cannot_be_run() {
    for way in ways().split_off(1) {
        let (way, folder) = copies(&way, "cannot-start");
        let forbid = || set_mode(&folder.join("nsenter"), 0o644);
        let mut case = Case::connect_with(&way, &[], DemoPod::start(), 7095, forbid);
        let _ = case.client.read_to_end(&mut Vec::new());
        let of_it = |record: &Value| is_at(record, 7095, netns_of(case.pod.pause));
        let own = closed(&case.forward, of_it);
        let reason =
            format!("cannot start {}: Permission denied", folder.join("nsenter").display());
        assert_end(&own, "failed", &reason);
        assert_eq!(sessions(&case.watch, of_it), [] as [Value; 0]);
    }
}
