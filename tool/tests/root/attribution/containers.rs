//! Whose a process is: real containers of a real Docker daemon, labelled as cri-dockerd does.

use std::os::unix::fs::MetadataExt as _;
use std::process::Command;

use rustix::process::Signal;
use serde_json::{Value, json};

use crate::exec::unusual_execs::{fixture, records};
use crate::support::docker::Docker;
use crate::support::{
    eventually, output, pfsnoop, pod::DemoPod, running::Running, stdout_of, system,
};

pub const UID: &str = "12345678-9abc-def0-1234-56789abcdef0";

/// A pause and an app container, as cri-dockerd makes a pod; returns the pause's pid.
pub fn start_pod(docker: &Docker, name: &str) -> u32 {
    let labels = |kind: &str, container: &str| {
        [
            format!("io.kubernetes.pod.name={name}"),
            "io.kubernetes.pod.namespace=shop".to_owned(),
            format!("io.kubernetes.pod.uid={UID}"),
            format!("io.kubernetes.docker.type={kind}"),
            format!("io.kubernetes.container.name={container}"),
        ]
    };
    let pause = format!("k8s_POD_{name}_shop_{UID}_0");
    let pid = docker.run_with(&pause, "none", &labels("podsandbox", "POD"), "exec sleep 1000");
    let app = format!("k8s_web_{name}_shop_{UID}_0");
    let serve = "mkdir /www; echo in the pod > /www/index.html; exec httpd -f -p 8080 -h /www";
    docker.run_with(&app, &format!("container:{pause}"), &labels("container", "web"), serve);
    pid
}

/// `pfsnoop` with these options, asking this daemon, attached.
fn snoop(docker: &Docker, args: &[&str]) -> Running {
    let mut snoop = Running::start(pfsnoop(args).arg("-v").env("DOCKER_HOST", docker.host()));
    snoop.stderr_line("word that it is attached", |line| line.contains("attached"));
    snoop
}

fn record(snoop: &Running, comm: &str, mark: &str) -> Value {
    eventually(&format!("a record of {comm} {mark}"), || {
        let is_it =
            |record: &Value| record["comm"] == comm && record["args"].to_string().contains(mark);
        records(snoop).into_iter().find(is_it)
    })
}

#[test]
fn containers_and_pods_have_their_names() {
    let docker = Docker::start("attribution");
    let plain_pid = docker.run("plain", "sleep 1000");
    // What runs on the host is not its, though they share a network namespace.
    docker.run_with("on-host", "host", &[], "sleep 1000");
    let pause = start_pod(&docker, "kuard");
    let json = snoop(&docker, &["-o", "json", "--exit"]);
    let by_pod = snoop(&docker, &["--pod", "shop/kuard"]);
    let web = format!("k8s_web_kuard_shop_{UID}_0");
    let web_id = stdout_of(docker.client().args(["inspect", "--format", "{{.Id}}", &web]));
    let by_id = snoop(&docker, &["--container", &web_id[..12], "-o", "wide"]);
    let by_container = snoop(&docker, &["--container", "plain", "-o", "wide"]);
    let other_pod = snoop(&docker, &["--pod", "other/kuard"]);

    // In a plain container, in the app's container of the pod, and into the pod from outside.
    let in_container = |name: &str, mark: &str| {
        let exec = output(docker.client().args(["exec", name, "/bin/mkdir", "-p", mark]));
        assert!(exec.status.success(), "{exec:?}");
    };
    in_container("plain", "/m-plain");
    in_container(&web, "/m-web");
    let request = format!("nsenter -t {pause} -n socat - TCP4:localhost:7098 < /dev/null");
    output(system("sh").args(["-c", &request]));
    Command::new(fixture()).args(["exit", "0", "m-host"]).status().unwrap();

    let pod = json!({"namespace": "shop", "name": "kuard", "uid": UID});
    let plain = record(&json, "mkdir", "/m-plain");
    assert_eq!(plain["container"]["name"], "plain");
    assert_eq!(plain["container"]["runtime"], "docker");
    assert_eq!(plain["container"]["id"].as_str().unwrap().len(), 64);
    assert_eq!(plain.get("pod"), None);
    let app = record(&json, "mkdir", "/m-web");
    assert_eq!((&app["pod"], &app["container"]["name"]), (&pod, &json!(web)));
    // By its arguments, and by the namespace that it has entered: the pod, no one container of it.
    for comm in ["nsenter", "socat"] {
        let helper = record(&json, comm, "TCP4:localhost:7098");
        assert_eq!((&helper["pod"], helper.get("container")), (&pod, None), "{helper}");
    }
    // Gone before anybody can look, and in no namespace that tells: the kernel programs have kept
    // the cgroup's name.
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
    let netns = std::fs::metadata(format!("/proc/{plain_pid}/ns/net")).unwrap().ino();
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
    let snoop = {
        let mut snoop = Running::start(&mut pfsnoop(&["-o", "json", "-n", "socat", "-v"]));
        snoop.stderr_line("word that it is attached", |line| line.contains("attached"));
        snoop
    };
    // A port that no other test asks for.
    let request = format!("nsenter -t {} -n socat - TCP4:localhost:7099 < /dev/null", pod.pause);
    output(system("sh").args(["-c", &request]));
    let socat = record(&snoop, "socat", "TCP4:localhost:7099");
    let netns = std::fs::read_link(format!("/proc/{}/ns/net", pod.pause)).unwrap();
    assert_eq!(netns.to_string_lossy(), format!("net:[{}]", socat["netns"]));
    assert_eq!((socat.get("pod"), socat.get("container")), (None, None));
}
