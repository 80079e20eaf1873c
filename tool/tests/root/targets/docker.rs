//! Targets that are found by name in a real Docker daemon.

use std::process::Command;

use serde_json::json;

use crate::common::{assert_fails, eventually, output, pfsnoop, text};
use crate::support::docker::{self, Docker, container_name};
use crate::support::forward::{get, start_json, start_listening};
use crate::support::image::serve;
use crate::support::records::records;

fn pfsnoop_of(docker: &Docker, args: &[&str]) -> Command {
    let mut command = pfsnoop(args);
    command.env("DOCKER_HOST", docker.host());
    command
}

fn assert_forward_fails(docker: &Docker, args: &[&str], parts: &[&str]) {
    assert_fails(&mut pfsnoop_of(docker, &[&["forward"], args].concat()), 1, parts);
}

#[test]
fn pods_and_containers_are_found_by_name() {
    let docker = Docker::start("names");
    let serve = serve("plain", 8080);
    docker.run("plain-web", &serve);
    docker.run("plain-other", "sleep 1000");
    docker.run_pod("kuard");
    // A pod that crictl made, not the kubelet: it lacks most labels.
    let bare = container_name("POD", "bare");
    let labels = ["io.kubernetes.docker.type=podsandbox".to_owned()];
    docker.run_with(&bare, "none", &labels, &serve.replace("plain", "bare"));
    let id = docker.id("plain-web");

    let by_prefix = format!("container/{}", &id[..8]);
    for (target, namespace, page) in [
        ("kuard", "shop", "in the pod\n"),
        ("pod/kuard", "shop", "in the pod\n"),
        ("bare", "shop", "bare\n"),
        ("container/plain-web", "default", "plain\n"),
        (&by_prefix, "default", "plain\n"),
    ] {
        let args = ["forward", target, "-n", namespace, ":8080"];
        let (_forward, local) = start_listening(&mut pfsnoop_of(&docker, &args));
        eventually(target, || get("127.0.0.1", local).ends_with(page).then_some(()));
    }

    let uid = docker::UID;
    let pod = json!({"namespace": "shop", "name": "kuard", "uid": uid});
    let container = json!({"id": id, "runtime": "docker", "name": "plain-web", "confirmed": true});
    for (target, expected, key) in
        [("kuard", &pod, "pod"), ("container/plain-web", &container, "container")]
    {
        let args = ["forward", target, "-n", "shop", ":8080", "-o", "json"];
        let (mut forward, locals) = start_json(&mut pfsnoop_of(&docker, &args), 1);
        get("127.0.0.1", locals[0]);
        forward.stdout_line("the end", |line| line.contains("\"state\":\"closed\""));
        forward.stdout_line("socat", |line| line.contains("\"comm\":\"socat\""));
        for record in records(&forward) {
            let place = match record["type"].as_str() {
                Some("session") => &record["target"],
                Some("exec") => &record,
                _ => continue,
            };
            assert_eq!(place[key], *expected, "{record}");
        }
    }

    let pods = &["no pod \"default/kuard\"", "docker", "did you mean shop/kuard"];
    assert_forward_fails(&docker, &["kuard", ":80"], pods);
    let near = &["no container \"plain-wep\"", "did you mean container/plain-web?"];
    assert_forward_fails(&docker, &["container/plain-wep", ":80"], near);
    docker.kill("plain-other");
    assert_forward_fails(&docker, &["container/plain-other", ":80"], &["container not running ("]);
    docker.kill(&container_name("POD", "kuard"));
    let words = &["unable to forward port because pod is not running. Current status=exited"];
    assert_forward_fails(&docker, &["kuard", "-n", "shop", ":80"], words);
}

#[test]
fn names_with_a_namespace_and_names_of_containers_in_pods() {
    let docker = Docker::start("more-names");
    docker.run_pod("kuard");
    let web = container_name("web", "kuard");
    let page = |target: &str| {
        let (_forward, local) =
            start_listening(&mut pfsnoop_of(&docker, &["forward", target, ":8080"]));
        eventually(target, || get("127.0.0.1", local).ends_with("in the pod\n").then_some(()));
    };
    for target in ["shop/kuard", "container/web", &format!("container/{web}")] {
        page(target);
    }
    let said = |target: &str| {
        let mut command = pfsnoop_of(&docker, &["forward", target, ":80"]);
        assert_fails(&mut command, 1, &[])
    };
    // What a message suggests is accepted.
    for near in ["kuard", "kuad", "shop/kuad", "shp/kuard"] {
        let said = said(near);
        let (_, suggested) =
            said.rsplit_once("; did you mean ").unwrap_or_else(|| panic!("{said}"));
        assert_eq!(suggested, "shop/kuard?", "{near}");
    }
    assert!(said("container/wep").ends_with("; did you mean container/web?"));
    for nothing in ["zebra", "shop/zebra", "container/zebra", "default/zebra"] {
        let said = said(nothing);
        assert!(said.contains("on this node") && !said.contains("did you mean"), "{said}");
    }
    // Two pods have a container of that name.
    docker.run_pod("other");
    docker.run("web", "sleep 1000");
    let said = said("container/web");
    for part in ["shop/kuard/web (container/", "shop/other/web (container/", "web (container/"] {
        assert!(said.contains(part), "{part}: {said}");
    }
    let id = said.split("shop/kuard/web (").nth(1).unwrap().split(',').next().unwrap();
    page(id);
}

#[test]
fn without_a_runtime_the_message_says_what_to_do() {
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
