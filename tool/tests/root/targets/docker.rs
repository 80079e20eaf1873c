//! Targets by name, from a real Docker daemon.

use std::process::Command;

use serde_json::{Value, json};

use crate::attribution::containers::start_pod;
use crate::forward::basics::get;
use crate::support::docker::Docker;
use crate::support::{eventually, output, pfsnoop, running::Running, stdout_of, text};

fn pfsnoop_of(docker: &Docker, args: &[&str]) -> Command {
    let mut command = pfsnoop(args);
    command.env("DOCKER_HOST", docker.host());
    command
}

fn assert_fails(docker: &Docker, args: &[&str], parts: &[&str]) {
    let output = output(&mut pfsnoop_of(docker, args));
    let stderr = text(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{args:?}: {output:?}");
    assert_eq!(stderr.lines().count(), 1, "{stderr}");
    assert!(parts.iter().all(|part| stderr.contains(part)), "{parts:?} in {stderr}");
}

#[test]
fn pods_and_containers_are_found_by_name() {
    let docker = Docker::start("names");
    let serve = "mkdir /www; echo plain > /www/index.html; exec httpd -f -p 8080 -h /www";
    docker.run("plain-web", serve);
    docker.run("plain-other", "sleep 1000");
    start_pod(&docker, "kuard");
    // As cri-dockerd makes one that crictl asked for, and no kubelet.
    let bare = format!("k8s_POD_bare_shop_{}_0", crate::attribution::containers::UID);
    let labels = ["io.kubernetes.docker.type=podsandbox".to_owned()];
    docker.run_with(&bare, "none", &labels, &serve.replace("plain", "bare"));
    let id = stdout_of(docker.client().args(["inspect", "--format", "{{.Id}}", "plain-web"]));

    let by_prefix = format!("container/{}", &id[..8]);
    for (target, namespace, page) in [
        ("kuard", "shop", "in the pod\n"),
        ("pod/kuard", "shop", "in the pod\n"),
        ("bare", "shop", "bare\n"),
        ("container/plain-web", "default", "plain\n"),
        (&by_prefix, "default", "plain\n"),
    ] {
        let args = ["forward", target, "-n", namespace, ":8080"];
        let mut forward = Running::start(&mut pfsnoop_of(&docker, &args));
        let line =
            forward.stdout_line("listener", |line| line.starts_with("Forwarding from 127.0.0.1:"));
        let local = line.split([':', ' ']).nth(3).unwrap().parse().unwrap();
        eventually(target, || get("127.0.0.1", local).ends_with(page).then_some(()));
    }

    let uid = crate::attribution::containers::UID;
    let pod = json!({"namespace": "shop", "name": "kuard", "uid": uid});
    let container = json!({"id": id.trim(), "runtime": "docker", "name": "plain-web"});
    for (target, whose, key) in
        [("kuard", &pod, "pod"), ("container/plain-web", &container, "container")]
    {
        let args = ["forward", target, "-n", "shop", ":8080", "-o", "json"];
        let mut forward = Running::start(&mut pfsnoop_of(&docker, &args));
        let line =
            forward.stderr_line("listener", |line| line.starts_with("Forwarding from 127.0.0.1:"));
        get("127.0.0.1", line.split([':', ' ']).nth(3).unwrap().parse().unwrap());
        forward.stdout_line("the end", |line| line.contains("\"state\":\"closed\""));
        forward.stdout_line("socat", |line| line.contains("\"comm\":\"socat\""));
        for line in forward.stdout() {
            let record: Value = serde_json::from_str(&line).unwrap();
            let is_session = record["type"] == "session";
            let place = if is_session { &record["target"] } else { &record };
            assert_eq!(place[key], *whose, "{line}");
        }
    }

    let pods = &["no pod \"default/kuard\"", "docker", "did you mean shop/kuard"];
    assert_fails(&docker, &["forward", "kuard", ":80"], pods);
    let near = &["no container \"plain-wep\"", "did you mean plain-web"];
    assert_fails(&docker, &["forward", "container/plain-wep", ":80"], near);
    docker.kill("plain-other");
    assert_fails(
        &docker,
        &["forward", "container/plain-other", ":80"],
        &["container not running ("],
    );
    let pause = format!("k8s_POD_kuard_shop_{}_0", crate::attribution::containers::UID);
    docker.kill(&pause);
    let words = &["unable to forward port because pod is not running. Current status=exited"];
    assert_fails(&docker, &["forward", "kuard", "-n", "shop", ":80"], words);
}

#[test]
fn without_a_runtime_the_way_out_is_named() {
    let mut forward = pfsnoop(&["forward", "kuard", ":80"]);
    forward.env("DOCKER_HOST", "unix:///nonexistent/docker.sock");
    let output = output(forward.env("CONTAINER_RUNTIME_ENDPOINT", "/nonexistent/cri.sock"));
    let stderr = text(&output.stderr);
    assert_eq!(
        stderr,
        "pfsnoop: no container runtime answers on this node (asked: docker at \
         /nonexistent/docker.sock: no such socket; cri at /nonexistent/cri.sock: no such socket); \
         a target named pid/PID needs none\n"
    );
}
