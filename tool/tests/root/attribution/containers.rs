//! Containers and pods of a real Docker daemon, labelled as cri-dockerd labels them.

use rustix::process::Signal;
use serde_json::{Value, json};

use crate::common::running::Running;
use crate::common::{output, pfsnoop};
use crate::support::docker::{self, Docker, container_name};
use crate::support::fixture::run_odd_exec;
use crate::support::helper::run_nsenter_socat;
use crate::support::netns::netns_of;
use crate::support::pod::DemoPod;
use crate::support::records::wait_for_record;

/// `pfsnoop` with these options, attached. It asks this daemon.
fn snoop(docker: &Docker, args: &[&str]) -> Running {
    Running::start_attached(pfsnoop(args).arg("-v").env("DOCKER_HOST", docker.host()))
}

fn record(snoop: &Running, comm: &str, mark: &str) -> Value {
    wait_for_record(snoop, &format!("a record of {comm} {mark}"), |record| {
        record["comm"] == comm && record["args"].to_string().contains(mark)
    })
}

#[test]
fn records_and_rows_name_containers_and_pods() {
    let docker = Docker::start("attribution");
    let plain_pid = docker.run("plain", "sleep 1000");
    // This container shares the host's network namespace. Processes of the host are not in it.
    docker.run_with("on-host", "host", &[], "sleep 1000");
    let pause = docker.run_pod("kuard");
    let json = snoop(&docker, &["-o", "json", "--exit"]);
    let by_pod = snoop(&docker, &["--pod", "shop/kuard"]);
    let web = container_name("web", "kuard");
    let web_id = docker.id(&web);
    let by_id = snoop(&docker, &["--container", &web_id[..12], "-o", "wide"]);
    let by_container = snoop(&docker, &["--container", "plain", "-o", "wide"]);
    let other_pod = snoop(&docker, &["--pod", "other/kuard"]);

    // In a plain container, in the app container of the pod, and from the host into the pod.
    let in_container = |name: &str, mark: &str| {
        let exec = output(docker.client().args(["exec", name, "/bin/mkdir", "-p", mark]));
        assert!(exec.status.success(), "{exec:?}");
    };
    in_container("plain", "/m-plain");
    in_container(&web, "/m-web");
    run_nsenter_socat(pause, 7098);
    run_odd_exec(&["exit", "0", "m-host"]);

    let pod = json!({"namespace": "shop", "name": "kuard", "uid": docker::UID});
    let plain = record(&json, "mkdir", "/m-plain");
    assert_eq!(plain["container"]["name"], "plain");
    assert_eq!(plain["container"]["runtime"], "docker");
    assert_eq!(plain["container"]["id"].as_str().unwrap().len(), 64);
    assert_eq!(plain.get("pod"), None);
    let app = record(&json, "mkdir", "/m-web");
    assert_eq!((&app["pod"], &app["container"]["name"]), (&pod, &json!(web)));
    // nsenter is attributed by its arguments, socat by the namespace that it is in: to the pod, not
    // to one of its containers.
    for comm in ["nsenter", "socat"] {
        let helper = record(&json, comm, "TCP4:localhost:7098");
        assert_eq!((&helper["pod"], helper.get("container")), (&pod, None), "{helper}");
    }
    // This process is gone before pfsnoop looks it up, and it was in the host's network namespace: only
    // the cgroup's name, which the kernel programs keep, says which container it was in.
    json.signal(Signal::STOP);
    in_container("on-host", "/m-gone");
    json.signal(Signal::CONT);
    let gone = record(&json, "mkdir", "/m-gone");
    assert_eq!(gone["container"]["name"], "on-host");
    let host = record(&json, "odd-exec", "m-host");
    assert_eq!((host.get("pod"), host.get("container")), (None, None));

    let stdout = |snoop: Running| snoop.interrupt().1;
    let rows = stdout(by_pod);
    let shown: Vec<&str> = rows.iter().skip(1).map(|row| row.split(' ').next().unwrap()).collect();
    assert_eq!(shown.iter().filter(|comm| **comm == "socat").count(), 1, "{rows:#?}");
    assert_eq!(shown.iter().filter(|comm| **comm == "nsenter").count(), 1);
    assert!(rows.iter().any(|row| row.contains("/m-web")), "{rows:#?}");
    assert!(
        !rows.iter().any(|row| row.contains("/m-plain") || row.contains("m-host")),
        "{rows:#?}"
    );
    let rows = stdout(by_container);
    let row = rows.iter().find(|row| row.contains("/m-plain")).unwrap();
    let netns = netns_of(plain_pid);
    assert!(rows[0].contains("NETNS") && row.contains(&format!(" {netns} ")), "{rows:#?}");
    assert!(row.contains(" plain "), "{rows:#?}");
    assert!(!rows.iter().any(|row| row.contains("/m-web")));
    let rows = stdout(by_id);
    let row = rows.iter().find(|row| row.contains("/m-web")).unwrap();
    let owner: Vec<&str> = row.split_whitespace().skip(6).take(2).collect();
    assert_eq!(owner, ["shop/kuard", &web], "{rows:#?}");
    assert!(!rows.iter().any(|row| row.contains("/m-plain")), "{rows:#?}");
    assert_eq!(stdout(other_pod).len(), 1, "the header alone");
}

#[test]
fn a_pod_that_no_runtime_knows_keeps_its_netns() {
    let pod = DemoPod::start();
    let snoop = Running::start_attached(&mut pfsnoop(&["-o", "json", "-n", "socat", "-v"]));
    // No other test uses this port.
    run_nsenter_socat(pod.pause, 7099);
    let socat = record(&snoop, "socat", "TCP4:localhost:7099");
    let netns = std::fs::read_link(format!("/proc/{}/ns/net", pod.pause)).unwrap();
    assert_eq!(netns.to_string_lossy(), format!("net:[{}]", socat["netns"]));
    assert_eq!((socat.get("pod"), socat.get("container")), (None, None));
}
