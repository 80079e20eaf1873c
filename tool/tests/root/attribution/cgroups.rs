//! Containers whose processes are gone before /proc is read, by the path of their cgroup alone: far
//! inside of it, in each hierarchy of the machine by itself, and in the shapes of other runtimes.

use std::path::{Path, PathBuf};

use rustix::process::Signal;
use serde_json::Value;

use crate::common::running::Running;
use crate::common::{pfsnoop, stdout_of, system};
use crate::support::cgroup::{Cgroup, mounts};
use crate::support::records::wait_for_record;

/// How many execs there are in each cgroup.
const EXECS: usize = 5;

/// Makes the folders of a path, runs short processes in the innermost, and returns the containers
/// that their records name.
fn containers_of(mount: &Path, path: &str) -> Vec<Value> {
    let mut folders: Vec<Cgroup> = Vec::new();
    let mut at = mount.to_owned();
    for name in path.split('/') {
        at.push(name);
        folders.insert(0, Cgroup::at(at.clone()));
    }
    let snoop = Running::start_attached(&mut pfsnoop(&["-o", "json", "-v", "-n", "true"]));
    // They are gone when it reads their records.
    snoop.signal(Signal::STOP);
    // No other test has this path.
    let mark = at.display().to_string();
    let script = format!(
        "echo $$ > {}/cgroup.procs; for i in $(seq {EXECS}); do /bin/true {mark} $i; done",
        at.display()
    );
    stdout_of(system("sh").args(["-c", &script]));
    snoop.signal(Signal::CONT);
    let record = |index: usize| {
        wait_for_record(&snoop, "the exec", |record| {
            record["args"] == serde_json::json!(["/bin/true", mark, index.to_string()])
        })
    };
    (1..=EXECS).map(|index| record(index)["container"].clone()).collect()
}

fn assert_named(mount: &Path, path: &str, id: &str, runtime: &str) {
    for container in containers_of(mount, path) {
        let found = (container["id"].as_str(), container["runtime"].as_str());
        assert_eq!(found, (Some(id), Some(runtime)), "{} {path}", mount.display());
    }
}

/// An id that no other test uses.
fn id() -> String {
    format!("{:064x}", u128::from(std::process::id()) << 64)
}

#[test]
fn every_hierarchy_names_the_container_of_a_process_far_inside() {
    let all: Vec<PathBuf> = mounts();
    assert!(!all.is_empty());
    let id = id();
    let outer = format!("docker-{id}.scope");
    for mount in all {
        assert_named(
            &mount,
            &format!("{outer}/user.slice/user-0.slice/app.slice/x"),
            &id,
            "docker",
        );
    }
}

#[test]
fn containers_of_other_shapes_are_named() {
    let mount = crate::support::cgroup::root();
    let pid = std::process::id();
    let task = format!("{:032x}-{pid}", u128::from(pid));
    let name = format!("web-{pid}");
    for (path, id, runtime) in [
        (format!("{task}/init.scope"), &task, "ecs"),
        (format!("lxc.payload.{name}/system.slice/cron.service"), &name, "lxc"),
        (format!("lxc.payload/{name}"), &name, "lxc"),
        (format!("systemd-nspawn@{name}.service/payload/system.slice"), &name, "systemd-nspawn"),
    ] {
        assert_named(&mount, &path, id, runtime);
    }
    for path in [format!("lxc.monitor.{name}"), format!("systemd-nspawn@{name}.service/supervisor")]
    {
        assert_eq!(containers_of(&mount, &path), [const { Value::Null }; EXECS], "{path}");
    }
}

#[test]
fn long_names_inside_do_not_hide_the_container() {
    let id = id().replace('0', "1");
    let long = "x".repeat(60);
    let path = format!("crio-{id}.scope/{}", [long.as_str(); 20].join("/"));
    assert_named(&crate::support::cgroup::root(), &path, &id, "cri-o");
}
