//! `pfsnoop doctor TARGET` for processes that are stopped or frozen.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::common::{eventually, pfsnoop, stdout_of, system, text};
use crate::support::cgroup::Cgroup;
use crate::support::docker::{Docker, container_name};
use crate::support::doctor::{examine, find, fix};
use crate::support::pod::DemoPod;

fn doctor(target: &str) -> Vec<Value> {
    examine(&mut pfsnoop(&["doctor", "-o", "json", target, "8080"])).0
}

/// The severity of the finding about a held process, if there is one.
fn held<'a>(findings: &'a [Value], part: &str) -> Option<&'a Value> {
    find(findings, "target.process", part).filter(|found| found["severity"] != "ok")
}

fn sh(command: &str) {
    stdout_of(system("sh").args(["-c", command]));
}

#[test]
fn a_stopped_process_is_reported_and_the_fix_continues_it() {
    let pod = DemoPod::start();
    let target = pod.target();
    sh(&format!("kill -STOP {}", pod.pause));
    let stopped = format!("process {} (exe) is stopped by a signal", pod.pause);
    let findings = eventually("it is stopped", || {
        Some(doctor(&target)).filter(|findings| held(findings, &stopped).is_some())
    });
    assert_eq!(held(&findings, &stopped).unwrap()["severity"], "fail", "{findings:#?}");
    sh(fix(&findings, "target.process"));
    assert!(held(&doctor(&target), "").is_none());

    // Another process of the pod.
    let server = pod.serve(7040, &["socat", "TCP4-LISTEN:7040,fork", "SYSTEM:cat"]);
    sh(&format!("kill -STOP {}", server.pid()));
    let stopped = format!("process {} (socat) is stopped by a signal", server.pid());
    let findings = doctor(&target);
    let found = held(&findings, &stopped).unwrap_or_else(|| panic!("{findings:#?}"));
    assert_eq!(found["severity"], "warn");
    sh(found["fix"].as_str().unwrap());
    assert!(held(&doctor(&target), "").is_none());
}

/// A cgroup of the freezer of cgroup v1, if this node has it.
struct FreezerV1(PathBuf);

impl Drop for FreezerV1 {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir(&self.0);
    }
}

#[test]
fn a_frozen_cgroup_is_reported_and_the_fix_thaws_it() {
    let pod = DemoPod::start();
    let v2 = Cgroup::create("held");
    let inner = v2.path().join("inner");
    std::fs::create_dir(&inner).unwrap();
    let v1 = Path::new("/sys/fs/cgroup/freezer");
    assert!(v1.join("cgroup.procs").exists() || !Path::new("/sys/fs/cgroup/unified").exists());
    let v1 = v1.exists().then(|| FreezerV1(v1.join(format!("pfsnoop-{}", std::process::id()))));
    let mut cases = vec![(inner.clone(), v2.path().to_owned(), "cgroup.freeze", "1")];
    if let Some(FreezerV1(dir)) = &v1 {
        std::fs::create_dir(dir).unwrap();
        cases.push((dir.clone(), dir.clone(), "freezer.state", "FROZEN"));
    }
    for (dir, frozen, switch, on) in cases {
        sh(&format!("echo {} > {}/cgroup.procs", pod.pause, dir.display()));
        sh(&format!("echo {on} > {}/{switch}", frozen.display()));
        let findings = doctor(&pod.target());
        let what =
            format!("process {} (exe) is frozen: its cgroup {} is", pod.pause, frozen.display());
        let found = held(&findings, &what).unwrap_or_else(|| panic!("{findings:#?}")).clone();
        assert_eq!(found["severity"], "fail");
        sh(found["fix"].as_str().unwrap());
        assert!(held(&doctor(&pod.target()), "").is_none());
        let root = dir.ancestors().find(|dir| !dir.join("cgroup.procs").exists()).unwrap();
        let top = dir.ancestors().take_while(|dir| *dir != root).last().unwrap();
        sh(&format!("echo {} > {}/cgroup.procs", pod.pause, top.display()));
    }
    std::fs::remove_dir(&inner).unwrap();
}

#[test]
fn a_paused_container_is_reported_and_the_fix_unpauses_it() {
    let docker = Docker::start("held");
    docker.run("plain", "exec httpd -f -p 8080 -h /");
    docker.run_pod("kuard");
    let web = container_name("web", "kuard");
    let doctor = |args: &[&str]| {
        let mut command = pfsnoop(&[&["doctor", "-o", "json"], args, &["8080"]].concat());
        examine(command.env("DOCKER_HOST", docker.host())).0
    };
    for (container, args) in
        [("plain", &["container/plain"][..]), (&*web, &["shop/kuard"]), (&*web, &["container/web"])]
    {
        assert!(held(&doctor(args), "").is_none());
        stdout_of(docker.client().args(["pause", container]));
        let findings = doctor(args);
        let id = &docker.id(container)[..12];
        let what = format!("is frozen: its container {id} is paused");
        let found = held(&findings, &what).unwrap_or_else(|| panic!("{findings:#?}"));
        assert_eq!(
            (&found["severity"], &found["fix"]),
            (&"fail".into(), &format!("docker unpause {id}").into())
        );
        let command = found["fix"].as_str().unwrap().strip_prefix("docker ").unwrap();
        let unpaused = docker.client().args(command.split(' ')).output().unwrap();
        assert!(unpaused.status.success(), "{}", text(&unpaused.stderr));
        assert!(held(&doctor(args), "").is_none());
    }
}
