//! Variables of the environment that would name a container runtime, and are ignored.

use std::process::Command;

use crate::common::running::Running;
use crate::common::{output, pfsnoop, text};

/// The notes about ignored variables.
fn notes(stderr: &str) -> Vec<&str> {
    stderr.lines().filter(|line| line.contains(" is ignored: ")).collect()
}

fn with_docker_host(args: &[&str], value: &str) -> Command {
    let mut command = pfsnoop(args);
    command.env("DOCKER_HOST", value).env("CONTAINER_RUNTIME_ENDPOINT", "/nonexistent/cri.sock");
    command
}

#[test]
fn a_docker_host_on_another_machine_is_ignored_with_a_note() {
    let own = format!("pid/{}", std::process::id());
    for value in ["tcp://10.0.0.1:2375", "ssh://me@node", "http://[::1]:2375", "/run/x.sock"] {
        let note = format!("pfsnoop: note: DOCKER_HOST={value} is ignored: ");
        for args in [
            &["targets"][..],
            &["forward", "kuard", ":80"],
            &["forward", "container/web", ":80", "-o", "json"],
            &["doctor"],
            &["doctor", "shop/kuard"],
            &["watch", "--duration", "0.2"],
            &["exec", "-o", "wide", "-n", "m-ignored", "--duration", "0.2"],
        ] {
            let stderr = text(&output(&mut with_docker_host(args, value)).stderr);
            let notes = notes(&stderr);
            assert_eq!(notes.len(), 1, "{args:?} {value}: {stderr}");
            assert!(notes[0].starts_with(&note) && notes[0].contains("unix:///"), "{stderr}");
        }
    }
    // No runtime is asked, or not this one.
    for args in [
        &["exec", "-n", "m-ignored", "--duration", "0.2"][..],
        &["doctor", &own, "9"],
        &["targets", "--runtime", "cri"],
        &["targets", "--runtime-endpoint", "/nonexistent.sock"],
    ] {
        let stderr = text(&output(&mut with_docker_host(args, "tcp://10.0.0.1:2375")).stderr);
        assert_eq!(notes(&stderr), [""; 0], "{args:?}");
    }
    let escaped = output(&mut with_docker_host(&["targets"], "tcp://\x1b[31m"));
    assert!(text(&escaped.stderr).contains("tcp://\\x1b[31m is ignored"), "{escaped:?}");
}

#[test]
fn a_socket_that_does_not_exist_is_reported_once() {
    let missing = "docker at /nonexistent/docker.sock: no such socket";
    for args in [&["targets"][..], &["forward", "kuard", ":80"], &["doctor", "kuard"]] {
        let output = output(&mut with_docker_host(args, "unix:///nonexistent/docker.sock"));
        let said = text(&output.stdout) + &text(&output.stderr);
        assert_eq!(said.matches(missing).count(), 1, "{args:?}: {said}");
        assert!(!said.contains("is ignored"), "{said}");
    }
    let mut watch = with_docker_host(&["watch"], "unix:///nonexistent/docker.sock");
    let mut watch = Running::start(&mut watch);
    watch.stderr_line("the missing socket", |line| {
        line.contains("docker at /nonexistent/docker.sock") && line.contains("no such socket")
    });
}
