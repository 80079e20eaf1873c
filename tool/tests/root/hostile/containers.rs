//! Containers whose processes have the names of the node's daemons.

use serde_json::Value;

use crate::common::{eventually, pfsnoop, stdout_of};
use crate::support::docker::Docker;
use crate::support::doctor::{examine, find, severity};

/// Shell of busybox: a process with the name of a daemon. ash writes its own comm.
fn daemon(name: &str) -> String {
    daemon_that(name, ":")
}

/// The same, and it first runs another command.
fn daemon_that(name: &str, first: &str) -> String {
    format!("sh -c 'echo -n {name} > /proc/self/comm; {first}; while :; do sleep 1000; done' &")
}

fn doctor(docker: &Docker, args: &[&str]) -> Vec<Value> {
    let mut command = pfsnoop(&[&["doctor", "-o", "json"], args].concat());
    examine(command.env("DOCKER_HOST", docker.host())).0
}

/// Waits until so many processes in a container have that name, and returns the pid of one.
fn wait_for(docker: &Docker, container: &str, name: &str, count: usize) -> u32 {
    eventually("the daemons in the container", || {
        let mut top = docker.client();
        let lines = stdout_of(top.args(["top", container, "-eo", "pid,comm"]));
        let is_it = |line: &&str| line.split_whitespace().nth(1) == Some(name);
        let pids: Vec<&str> = lines.lines().filter(is_it).collect();
        (pids.len() == count).then(|| pids[0].trim().split(' ').next().unwrap().parse().unwrap())
    })
}

/// The warnings about processes of that name in containers.
fn about<'a>(findings: &'a [Value], check: &str, name: &str) -> Vec<&'a Value> {
    let is_it = |one: &&Value| {
        let what = one["what"].as_str().unwrap();
        (&one["check"], &one["severity"]) == (&check.into(), &"warn".into())
            && what.contains(&format!("{name} (pid "))
            && what.contains(" in container ")
    };
    findings.iter().filter(is_it).collect()
}

#[test]
fn no_fix_enters_a_container_or_changes_its_limits() {
    let docker = Docker::start("hostile-kubelet");
    // With all files open, so that the doctor has something to say about its limit.
    let full = "ulimit -n 10; for i in 3 4 5 6 7 8 9; do eval \"exec $i</dev/null\"; done";
    let kubelets = daemon_that("kubelet", full).repeat(20);
    docker.run("false", &format!("echo ID=debian > /etc/os-release; {kubelets} wait"));
    wait_for(&docker, "false", "kubelet", 20);
    let findings = doctor(&docker, &[]);
    // Containers of other tests may have such processes too, and any of all may stand for the others.
    let id_of = |text: &str, after: &str| {
        let id = text.split_once(after).unwrap_or_else(|| panic!("{text}")).1;
        id.split(' ').next().unwrap().to_owned()
    };
    for check in ["helper.socat", "limit.daemon-files"] {
        let [one] = about(&findings, check, "kubelet")[..] else { panic!("{findings:#?}") };
        let what = one["what"].as_str().unwrap();
        let short = id_of(what, " in container ");
        assert!(what.contains(&format!(" in container {short} (docker)")), "{what}");
        assert!(what.contains("; the same is true of "), "{what}");
        let fix = one["fix"].as_str().unwrap();
        if check == "helper.socat" {
            let id = id_of(fix, "docker exec ");
            assert!(id.len() == 64 && id.starts_with(&short), "{fix}");
            assert_eq!(fix, format!("docker exec {id} apt-get install socat"));
        } else {
            assert!(fix.starts_with("# "), "{fix}");
        }
    }
    for finding in &findings {
        let fix = finding["fix"].as_str().unwrap_or_default();
        assert!(!fix.contains("nsenter -") && !fix.contains("prlimit"), "{finding}");
    }
}

#[test]
fn what_a_container_says_of_localhost_counts_for_the_container_alone() {
    let docker = Docker::start("hostile-hosts");
    // It is in the node's pid namespace, and is named as what forwards on the node.
    let forged = format!("echo 10.9.9.9 localhost > /etc/hosts; {} wait", daemon("cri-dockerd"));
    let mut run = docker.client();
    run.args(["run", "--detach", "--name", "false", "--network", "none", "--pid", "host"]);
    stdout_of(run.args(["busybox", "/bin/sh", "-c", &forged]));
    wait_for(&docker, "false", "cri-dockerd", 1);
    let own = format!("pid/{}", std::process::id());
    let findings = doctor(&docker, &[&own, "9"]);
    assert_eq!(
        severity(&findings, "target.localhost", "localhost is 127.0.0.1 in /etc/hosts"),
        "ok"
    );
    // It has no socat, which is nothing to the node.
    assert!(find(&findings, "dial.nsenter", "does not find socat").is_none(), "{findings:#?}");
}

/// The nodes of kind are containers, each with a kubelet.
#[test]
fn seen_from_inside_the_same_container_the_daemon_is_the_nodes() {
    let docker = Docker::start("hostile-kind");
    let mut run = docker.client();
    run.args(["run", "--detach", "--name", "node", "--network", "none"]);
    let binary = format!("{}:/pfsnoop:ro", env!("CARGO_BIN_EXE_pfsnoop"));
    run.args(["--volume", &binary, "--volume", "/lib:/lib:ro", "--volume", "/lib64:/lib64:ro"]);
    run.args(["--volume", "/usr/lib:/usr/lib:ro"]);
    let start = format!("echo ID=debian > /etc/os-release; {} wait", daemon("kubelet"));
    stdout_of(run.args(["busybox", "/bin/sh", "-c", &start]));
    wait_for(&docker, "node", "kubelet", 1);
    let mut inside = docker.client();
    inside.args(["exec", "node", "/pfsnoop", "doctor", "-o", "json"]);
    let (findings, _) = examine(&mut inside);
    let socat = find(&findings, "helper.socat", "kubelet (pid ").unwrap();
    assert!(!socat["what"].as_str().unwrap().contains("container"), "{socat}");
    assert_eq!(
        (&socat["severity"], &socat["fix"]),
        (&"fail".into(), &"apt-get install socat".into())
    );
}
