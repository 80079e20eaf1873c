//! `pfsnoop targets` with a real Docker daemon and a real containerd.

use std::process::Command;

use serde_json::{Value, json};

use crate::common::{eventually, output, pfsnoop, stdout_of, system, text};
use crate::support::containerd::{self, Containerd};
use crate::support::docker::{self, Docker};
use crate::support::netns::netns_of;
use crate::support::records::parse;

fn both(docker: &Docker, containerd: &Containerd, args: &[&str]) -> Command {
    let mut command = pfsnoop(&[&["targets"], args].concat());
    command.env("DOCKER_HOST", docker.host());
    command.env("CONTAINER_RUNTIME_ENDPOINT", containerd.endpoint());
    command
}

/// The records of targets, which are everything on stdout.
fn targets(command: &mut Command) -> Vec<Value> {
    let stdout = stdout_of(command);
    assert!(stdout.lines().all(|line| line.starts_with(r#"{"type":"target","#)), "{stdout}");
    parse(&stdout.lines().collect::<Vec<_>>())
}

fn find<'a>(records: &'a [Value], kind: &str, name: &str, runtime: &str) -> &'a Value {
    let is_it = |record: &&Value| {
        record["kind"] == kind && record["name"] == name && record["runtime"] == runtime
    };
    records.iter().find(is_it).unwrap_or_else(|| panic!("no {kind} {name}: {records:#?}"))
}

#[test]
fn pods_and_containers_of_both_runtimes_are_listed_with_their_ports() {
    let docker = Docker::start("targets-docker");
    let containerd = Containerd::start("targets-cri");
    let pause = docker.run_pod("kuard");
    docker.run("plain", "sleep 1000");
    docker.kill("plain");
    // One of this pod's two web servers listens on localhost only.
    let shop = containerd.run_pod("shop", "kuard", "x", 8080);
    let local = containerd.run_pod("default", "local", "x", 8081);
    containerd.cri().exec(&local.web, &["/bin/sh", "-c", "httpd -p 127.0.0.1:8082"]);
    let stopped = containerd.run_pod("shop", "stopped", "x", 8080);
    containerd.stop_pod(&stopped);

    let json = || targets(&mut both(&docker, &containerd, &["-o", "json"]));
    let everywhere = json!([{"address": "::", "port": 8080}]);
    let all = eventually("all servers", || {
        let all = json();
        let serving = all.iter().filter(|one| one["listeners"] == everywhere).count();
        (serving == 4).then_some(all)
    });
    let in_docker = find(&all, "pod", "kuard", "docker");
    assert_eq!(in_docker["pid"], pause);
    assert_eq!(in_docker["netns"], netns_of(pause));
    assert_eq!(in_docker["addresses"], json!([]), "no network");
    assert_eq!(in_docker["pod"], json!({"namespace": "shop", "name": "kuard", "uid": docker::UID}));
    let plain = find(&all, "container", "plain", "docker");
    assert_eq!(
        (&plain["state"], plain.get("pid"), plain.get("netns")),
        (&json!("exited"), None, None)
    );
    assert_eq!((plain.get("namespace"), plain.get("pod")), (None, None));

    let pod = find(&all, "pod", "kuard", "containerd");
    assert_eq!((&pod["id"], &pod["state"]), (&json!(shop.sandbox), &json!("Ready")));
    assert_eq!(pod["netns"], netns_of(u32::try_from(pod["pid"].as_u64().unwrap()).unwrap()));
    assert!(pod["addresses"][0].as_str().unwrap().starts_with("10.251."), "{pod}");
    assert_eq!(pod["pod"]["uid"], containerd::UID);
    let web = all.iter().find(|one| one["id"] == shop.web.as_str()).unwrap();
    assert_eq!((&web["kind"], &web["name"]), (&json!("container"), &json!("web")));
    assert_eq!((&web["netns"], &web["namespace"]), (&pod["netns"], &json!("shop")));
    assert_ne!(web["pid"], pod["pid"]);
    let two = json!([{"address": "::", "port": 8081}, {"address": "127.0.0.1", "port": 8082}]);
    assert_eq!(find(&all, "pod", "local", "containerd")["listeners"], two);
    let stopped = find(&all, "pod", "stopped", "containerd");
    assert_eq!((&stopped["state"], stopped.get("netns")), (&json!("NotReady"), None));

    // The same as a table.
    let table = stdout_of(&mut both(&docker, &containerd, &[]));
    assert_eq!(table.lines().count(), all.len() + 1, "{table}");
    assert!(table.starts_with("KIND "), "{table}");
    let kinds = table.lines().map(|line| line.split(' ').next().unwrap()).collect::<Vec<_>>();
    let pod_and_container = ["pod", "container"].repeat(4);
    assert_eq!(kinds, [&["KIND"][..], &pod_and_container, &["container"]].concat(), "{table}");
    let cells = |line: &str| line.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    let row = table.lines().find(|line| line.contains(&shop.sandbox[..12])).unwrap();
    let number = |key: &str| pod[key].to_string();
    let address = pod["addresses"][0].as_str().unwrap();
    assert_eq!(
        cells(row),
        [
            "pod",
            "shop",
            "kuard",
            &shop.sandbox[..12],
            "containerd",
            "Ready",
            &number("pid"),
            &number("netns"),
            address,
            "[::]:8080",
        ]
    );
    // On a narrow terminal every line fits.
    let command = format!(
        "stty cols 60; exec {} targets --runtime-endpoint {}",
        env!("CARGO_BIN_EXE_pfsnoop"),
        containerd.endpoint()
    );
    let terminal = stdout_of(system("script").args(["-qec", &command, "/dev/null"]));
    let widest = terminal.lines().map(|line| line.trim_end().len()).max().unwrap();
    assert!((40..=60).contains(&widest), "{terminal}");

    let only = targets(&mut both(&docker, &containerd, &["-o", "json", "--runtime", "docker"]));
    assert!(only.iter().all(|one| one["runtime"] == "docker") && only.len() == 3, "{only:#?}");
}

#[test]
fn it_fails_only_when_no_runtime_answers() {
    let docker = Docker::start("targets-one");
    docker.run("plain", "sleep 1000");
    let ask = |docker: &str| {
        let mut command = pfsnoop(&["targets", "-o", "json"]);
        command.env("DOCKER_HOST", docker);
        output(command.env("CONTAINER_RUNTIME_ENDPOINT", "/nowhere/cri.sock"))
    };
    let one = ask(&docker.host());
    assert!(one.status.success(), "{one:?}");
    assert_eq!(text(&one.stderr), "pfsnoop: cri at /nowhere/cri.sock: no such socket\n");
    assert_eq!(text(&one.stdout).lines().count(), 1, "{one:?}");
    let none = ask("unix:///nowhere/docker.sock");
    assert_eq!((none.status.code(), none.stdout.len()), (Some(1), 0), "{none:?}");
    let parts = ["no container runtime answers", "docker at /nowhere/docker.sock: no such socket"];
    assert!(parts.iter().all(|part| text(&none.stderr).contains(part)), "{none:?}");
}
