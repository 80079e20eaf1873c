//! Pods and containers of a real Podman: how they are listed, found by name, and named in records.

use std::process::Command;

use serde_json::{Value, json};

use crate::common::running::Running;
use crate::common::{assert_fails, eventually, output, pfsnoop, stdout_of};
use crate::support::docker::Docker;
use crate::support::doctor::{examine, fix, severity};
use crate::support::forward::{get, start_json, start_listening};
use crate::support::helper::run_nsenter_socat;
use crate::support::image::serve;
use crate::support::netns::netns_of;
use crate::support::parts::podmans;
use crate::support::podman::Podman;
use crate::support::records::{closed, parse, wait_for_record};

/// `pfsnoop` that asks only this Podman.
fn pfsnoop_of(podman: &Podman, args: &[&str]) -> Command {
    let mut command = pfsnoop(args);
    command.args(["--runtime", "podman", "--runtime-endpoint", &podman.endpoint()]);
    command
}

/// The records of its targets. Nothing on stderr.
fn targets(podman: &Podman) -> Vec<Value> {
    let output = output(&mut pfsnoop_of(podman, &["targets", "-o", "json"]));
    assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
    parse(&String::from_utf8(output.stdout).unwrap().lines().collect::<Vec<_>>())
}

fn facts(target: &Value) -> [&Value; 4] {
    ["kind", "name", "state", "id"].map(|key| &target[key])
}

/// A forward to this target, which must serve this page.
fn assert_serves(podman: &Podman, args: &[&str], page: &str) {
    let args = [&["forward"], args, &[":8080"]].concat();
    let (_forward, local) = start_listening(&mut pfsnoop_of(podman, &args));
    eventually(&format!("{args:?}"), || get("127.0.0.1", local).ends_with(page).then_some(()));
}

fn assert_forward_fails(podman: &Podman, args: &[&str], parts: &[&str]) {
    let args = [&["forward"], args, &[":8080"]].concat();
    assert_fails(&mut pfsnoop_of(podman, &args), 1, parts);
}

/// A pod `shop` with the containers `web`, which serves a page on port 8080, and `side`. Returns the
/// pod as records name it, and the pid of its infra container.
fn run_shop(podman: &Podman) -> (Value, u32) {
    let id = podman.create_pod("shop");
    podman.run_in("shop", "web", &serve("in the pod", 8080));
    podman.run_in("shop", "side", "exec sleep 1000");
    let infra = format!("{}-infra", &id[..12]);
    let pid = podman.inspect(&infra, "{{.State.Pid}}").parse().unwrap();
    (json!({"namespace": "podman", "name": "shop", "uid": id}), pid)
}

#[test]
fn a_pod_is_listed_once_and_found_by_name() {
    for programs in podmans() {
        let podman = Podman::start_version("podman-names", programs);
        let (pod, infra) = run_shop(&podman);
        podman.run("plain", &serve("in the container", 8080));
        let [web, side, plain] =
            ["web", "side", "plain"].map(|name| podman.inspect(name, "{{.Id}}"));

        let everywhere = json!([{"address": "::", "port": 8080}]);
        let all = eventually("all servers", || {
            let all = targets(&podman);
            all.iter().all(|one| one["listeners"] == everywhere).then_some(all)
        });
        let expected = [
            [json!("pod"), json!("shop"), json!("Running"), pod["uid"].clone()],
            [json!("container"), json!("side"), json!("running"), json!(side)],
            [json!("container"), json!("web"), json!("running"), json!(web)],
            [json!("container"), json!("plain"), json!("running"), json!(plain)],
        ];
        let found: Vec<[Value; 4]> = all.iter().map(|one| facts(one).map(Value::clone)).collect();
        assert_eq!(found, expected, "{all:#?}");
        assert_eq!((&all[0]["pid"], &all[0]["netns"]), (&json!(infra), &json!(netns_of(infra))));
        for one in &all[..3] {
            assert_eq!((&one["pod"], &one["netns"]), (&pod, &all[0]["netns"]), "{one}");
            assert_eq!((&one["namespace"], &one["runtime"]), (&json!("podman"), &json!("podman")));
        }
        assert_eq!((all[3].get("pod"), all[3].get("namespace")), (None, None));

        for dialer in ["nsenter", "native"] {
            let by_prefix = format!("container/{}", &web[..12]);
            for (target, page) in [
                (&["shop"][..], "in the pod\n"),
                (&["pod/shop", "-n", "podman"], "in the pod\n"),
                (&[&by_prefix], "in the pod\n"),
                (&["container/plain"], "in the container\n"),
            ] {
                assert_serves(&podman, &[target, &["--dialer", dialer]].concat(), page);
            }
        }
        assert_forward_fails(
            &podman,
            &["plain"],
            &["no pod \"default/plain\"", "container/plain?"],
        );
        let elsewhere = &["no pod \"default/shop\"", "did you mean podman/shop?"];
        assert_forward_fails(&podman, &["shop", "-n", "default"], elsewhere);
    }
}

#[test]
fn sessions_and_execs_name_the_pod() {
    for programs in podmans() {
        let podman = Podman::start_version("podman-owner", programs);
        let (pod, infra) = run_shop(&podman);
        podman.run("plain", "exec sleep 1000");
        // DOCKER_HOST often names Podman's socket.
        let with_podman = |args: &[&str]| {
            Running::start_attached(pfsnoop(args).arg("-v").env("DOCKER_HOST", podman.endpoint()))
        };
        let watch = with_podman(&["watch", "-o", "json"]);
        let by_pod = with_podman(&["watch", "-o", "json", "--pod", "podman/shop"]);
        let snoop = with_podman(&["-o", "json", "-n", "mkdir"]);
        let wide = with_podman(&["-o", "wide", "-n", "mkdir"]);

        run_nsenter_socat(infra, 7180);
        let args = ["forward", "shop", ":7181", "--dialer", "native", "-o", "json"];
        let (forward, locals) = start_json(&mut pfsnoop_of(&podman, &args), 1);
        get("127.0.0.1", locals[0]);
        for (observer, port) in
            [(&watch, 7180), (&watch, 7181), (&by_pod, 7180), (&by_pod, 7181), (&forward, 7181)]
        {
            let end = closed(observer, |record| record["port"] == port);
            let target = &end["target"];
            assert_eq!((&target["pod"], target.get("container")), (&pod, None), "{end}");
            assert_eq!(end["outcome"], "refused", "{end}");
        }

        for name in ["web", "plain"] {
            podman.command(&["exec", name, "/bin/mkdir", "-p", &format!("/m-{name}")]);
            let record = wait_for_record(&snoop, "mkdir", |record| {
                record["args"].to_string().contains(&format!("/m-{name}"))
                    && record["comm"] == "mkdir"
            });
            let id = podman.inspect(name, "{{.Id}}");
            let container = json!({"id": id, "runtime": "podman", "name": name, "confirmed": true});
            assert_eq!(record["container"], container);
            assert_eq!(record.get("pod"), (name == "web").then_some(&pod));
        }
        let rows = wide.interrupt().1;
        let row = |mark: &str| rows.iter().find(|row| row.contains(mark)).unwrap().as_str();
        assert!(row("/m-web").contains(" podman/shop ") && row("/m-web").contains(" web "));
        assert!(!row("/m-plain").contains("podman/") && row("/m-plain").contains(" plain "));
    }
}

#[test]
fn a_pod_with_a_stopped_container_is_still_forwarded_to() {
    let podman = Podman::start("podman-stopped");
    let (pod, _) = run_shop(&podman);
    let mut snoop = pfsnoop(&["-o", "json", "-n", "podman", "-v"]);
    let snoop = Running::start_attached(snoop.env("CONTAINER_HOST", podman.endpoint()));
    podman.kill("side");
    let all = targets(&podman);
    let states = ["Degraded", "exited", "running"];
    assert_eq!(all.iter().map(|one| &one["state"]).collect::<Vec<_>>(), states, "{all:#?}");
    assert_eq!((&all[1]["pod"], all[1].get("pid")), (&pod, None));
    assert_serves(&podman, &["shop"], "in the pod\n");
    let side = podman.inspect("side", "{{.Id}}");
    assert_forward_fails(
        &podman,
        &["container/side"],
        &[&format!("container not running ({side})")],
    );
    let doctor =
        |target: &str| examine(&mut pfsnoop_of(&podman, &["doctor", target, "-o", "json"])).0;
    assert_eq!(fix(&doctor("container/side"), "target.running"), format!("podman start {side}"));
    // The container's monitor runs this in the pod's cgroup. The pod's id is no container's.
    let cleanup = wait_for_record(&snoop, "the cleanup", |record| {
        record["args"].to_string().contains("cleanup")
    });
    assert_eq!((cleanup.get("container"), cleanup.get("pod")), (None, None), "{cleanup}");

    podman.command(&["pod", "stop", "--time", "0", "shop"]);
    let words = "unable to forward port because pod is not running. Current status=Exited";
    assert_forward_fails(&podman, &["shop"], &[words]);
    let findings = doctor("shop");
    assert_eq!(severity(&findings, "target.running", words), "fail");
    let start = fix(&findings, "target.running");
    assert_eq!(start, format!("podman pod start {}", pod["uid"].as_str().unwrap()));
    podman.command(&["pod", "start", "shop"]);
    assert_serves(&podman, &["shop"], "in the pod\n");
}

#[test]
fn a_pod_without_a_common_network_has_the_network_of_its_only_running_container() {
    let podman = Podman::start("podman-apart");
    podman.create_pod_with("apart", &["--infra=false"]);
    for name in ["one", "two"] {
        let options = ["--pod", "apart", "--network", "none"];
        podman.run_with(name, &options, &serve(name, 8080));
    }
    let why = ["podman/apart", "different network namespaces", "container/one", "container/two"];
    assert_forward_fails(&podman, &["apart"], &why);
    let all = targets(&podman);
    let pods = |all: &[Value]| all.iter().filter(|one| one["kind"] == "pod").count();
    assert_eq!((pods(&all), all.len()), (1, 3), "{all:#?}");
    assert_eq!((&all[0]["state"], all[0].get("netns")), (&json!("Running"), None));
    assert_ne!(all[1]["netns"], all[2]["netns"]);
    assert_serves(&podman, &["container/two"], "two\n");
    podman.kill("two");
    assert_serves(&podman, &["apart"], "one\n");
}

#[test]
fn a_pod_of_kube_play_is_found_beside_pods_of_docker() {
    let podman = Podman::start("podman-kube");
    let docker = Docker::start("beside-podman");
    docker.run_pod("kuard");
    let command = ["/bin/sh", "-c", &serve("by podman", 8080)];
    let kube = json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "kuard", "namespace": "elsewhere"},
        "spec": {"containers": [{"name": "web", "image": "localhost/busybox",
            "imagePullPolicy": "Never", "command": command}]},
    });
    let file = podman.socket().with_file_name("kube.yaml");
    std::fs::write(&file, kube.to_string()).unwrap();
    podman.command(&["play", "kube", "--network", "none", file.to_str().unwrap()]);
    let both = |args: &[&str]| {
        let mut command = pfsnoop(args);
        command.env("DOCKER_HOST", docker.host()).env("CONTAINER_HOST", podman.endpoint());
        command
    };
    for (args, page) in
        [(&["kuard"][..], "by podman\n"), (&["kuard", "-n", "shop"], "in the pod\n")]
    {
        let args = [&["forward"], args, &[":8080"]].concat();
        let (_forward, local) = start_listening(&mut both(&args));
        eventually(page, || get("127.0.0.1", local).ends_with(page).then_some(()));
    }
    let all = parse(&stdout_of(&mut both(&["targets", "-o", "json"])).lines().collect::<Vec<_>>());
    let of = |runtime: &str| {
        let of_runtime = all.iter().filter(|one| one["runtime"] == runtime);
        of_runtime
            .map(|one| [&one["kind"], &one["namespace"]].map(Value::clone))
            .collect::<Vec<_>>()
    };
    let row = |kind: &str, namespace: &str| [json!(kind), json!(namespace)];
    assert_eq!(of("podman"), [row("pod", "podman"), row("container", "podman")], "{all:#?}");
    assert_eq!(of("docker"), [row("pod", "shop"), row("container", "shop")], "{all:#?}");
    let mut wrong = pfsnoop(&["targets", "--runtime", "podman", "--runtime-endpoint"]);
    assert_fails(wrong.arg(docker.host()), 1, &["the daemon at this socket is not Podman"]);
}
