//! Cgroups that are named for a container and are not the container's.

use std::os::unix::ffi::OsStrExt as _;
use std::process::Command;

use serde_json::Value;

use crate::common::running::Running;
use crate::common::temp::TempDir;
use crate::common::{WaitInTime as _, output, pfsnoop, system};
use crate::support::cgroup::{Cgroup, mounts, root};
use crate::support::delegated::Delegated;
use crate::support::docker::{Docker, UID, container_name};
use crate::support::helper::run_nsenter_socat;
use crate::support::http_runtime::{HttpRuntime, asks_only, send};
use crate::support::records::wait_for_record;

/// Every hierarchy in which `nobody` may get a cgroup: a process joins a cpuset only if it has CPUs.
fn hierarchies() -> Vec<std::path::PathBuf> {
    mounts().into_iter().filter(|mount| !mount.join("cpuset.cpus").exists()).collect()
}

fn attached(command: &mut Command, docker: &str) -> Running {
    command.env("DOCKER_HOST", docker).env("CONTAINER_RUNTIME_ENDPOINT", "/nonexistent/cri.sock");
    Running::start_attached(command)
}

fn record(snoop: &Running, mark: &str) -> Value {
    wait_for_record(snoop, mark, |one| one["args"].to_string().contains(mark))
}

/// A row with the victim's id, and neither with the victim's name nor pod.
fn assert_is_disputed(record: &Value, id: &str) {
    let container = &record["container"];
    assert_eq!(container["id"], *id, "{record}");
    assert_eq!((&container["confirmed"], container.get("name")), (&false.into(), None), "{record}");
    assert_eq!(record.get("pod"), None, "{record}");
}

/// In each hierarchy, `nobody` makes a cgroup that is named for a container that runs.
#[test]
fn execs_in_a_cgroup_that_nobody_made_are_not_the_victims() {
    let docker = Docker::start("false-container");
    docker.run_pod("victim");
    let web = container_name("web", "victim");
    let id = docker.id(&web);
    let host = docker.host();
    let all = attached(&mut pfsnoop(&["-o", "json", "-n", "^(true|mkdir)$", "-v"]), &host);
    let by_pod = attached(&mut pfsnoop(&["--pod", "shop/victim", "-v"]), &host);
    let by_name = attached(&mut pfsnoop(&["--container", &web, "-o", "wide", "-v"]), &host);
    let by_id = attached(&mut pfsnoop(&["--container", &id[..12], "-v"]), &host);
    let wide = attached(&mut pfsnoop(&["-o", "wide", "-n", "true", "-v"]), &host);

    let mut marks = Vec::new();
    for (number, mount) in hierarchies().iter().enumerate() {
        let delegated = Delegated::new(mount, "false-container");
        let inside = [
            format!("docker-{id}.scope"),
            format!("docker/{id}"),
            format!("system.slice/docker-{id}.scope/far/inside"),
        ];
        for (inside, kind) in inside.iter().zip(["scope", "plain", "far"]) {
            let mark = format!("m-false-{number}-{kind}");
            delegated.run(inside, &["/bin/true", &mark]);
            marks.push((mark, mount.display().to_string()));
        }
    }
    // A cgroup that root made, in another place than the container's.
    let moved = Cgroup::at(hierarchies()[0].join(format!("docker-{id}.scope")));
    let join =
        format!("echo $$ > {}/cgroup.procs; exec /bin/true m-false-moved", moved.path().display());
    assert!(output(system("sh").args(["-c", &join])).status.success());
    marks.push(("m-false-moved".to_owned(), "root".to_owned()));
    // The victim itself, also far inside of its own cgroup.
    let exec = output(docker.client().args(["exec", &web, "/bin/mkdir", "-p", "/m-own"]));
    assert!(exec.status.success(), "{exec:?}");

    let own = record(&all, "/m-own");
    assert_eq!(own["container"]["confirmed"], true, "{own}");
    assert_eq!(
        (&own["container"]["name"], &own["pod"]["name"]),
        (&web.clone().into(), &"victim".into())
    );
    for (mark, mount) in &marks {
        let row = record(&all, mark);
        assert_is_disputed(&row, &id);
        assert!(marks.len() > 3, "{mount}");
    }
    let rows = wide.interrupt().1.join("\n");
    assert!(rows.contains(&format!(" {}? ", &id[..12])), "{rows}");
    for filtered in [by_pod, by_name, by_id] {
        let rows = filtered.interrupt().1.join("\n");
        assert!(rows.contains("/m-own") && !rows.contains("m-false"), "{rows}");
    }
}

/// A session into a namespace of `nobody`'s, with a process in a cgroup that is named for the victim.
#[test]
fn a_session_into_a_false_container_is_not_the_victims() {
    let docker = Docker::start("false-session");
    docker.run_pod("victim");
    let id = docker.id(&container_name("web", "victim"));
    let all =
        attached(&mut pfsnoop(&["watch", "-o", "json", "--port", "7141", "-v"]), &docker.host());
    let args = ["watch", "-o", "json", "--pod", "shop/victim", "--port", "7141", "-v"];
    let by_pod = attached(&mut pfsnoop(&args), &docker.host());
    let delegated = Delegated::new(&hierarchies()[0], "false-session");
    let unshared = ["unshare", "--user", "--net", "sleep", "60"];
    let mut target = delegated.spawn(&format!("docker-{id}.scope"), &unshared);
    let is_there = || {
        let comm = std::fs::read_to_string(format!("/proc/{}/comm", target.id())).ok()?;
        (comm == "sleep\n").then_some(())
    };
    crate::common::eventually("the target", is_there);
    run_nsenter_socat(target.id(), 7141);
    let session = wait_for_record(&all, "the end", |one| one["state"] == "closed");
    assert_is_disputed(&session["target"], &id);
    assert_eq!(by_pod.interrupt().1.iter().filter(|line| line.contains("session")).count(), 0);
    target.kill().unwrap();
    target.wait_in_time();
}

/// Without a runtime that answers, an id counts where only root makes cgroups.
#[test]
fn without_a_runtime_an_id_counts_only_where_root_put_it() {
    let id = |digit: &str| format!("{:032x}", std::process::id()) + &digit.repeat(32);
    let nowhere = "unix:///nonexistent/docker.sock";
    let (true_id, false_id, users_id) = (id("a"), id("b"), id("c"));
    let all = attached(&mut pfsnoop(&["-o", "json", "-n", "true", "-v"]), nowhere);
    let filtered =
        |id: &str| attached(&mut pfsnoop(&["-n", "true", "--container", id, "-v"]), nowhere);
    let [by_true, by_false, by_users] = [&true_id, &false_id, &users_id].map(|id| filtered(id));

    let run = |at: &std::path::Path, mark: &str| {
        let join = format!("echo $$ > {}/cgroup.procs; exec /bin/true {mark}", at.display());
        assert!(output(system("sh").args(["-c", &join])).status.success());
    };
    let real = Cgroup::named(&format!("docker-{true_id}.scope"));
    run(real.path(), "m-counts");
    let delegated = Delegated::new(&hierarchies()[0], "false-alone");
    delegated.run(&format!("docker-{false_id}.scope"), &["/bin/true", "m-counts-not"]);
    // systemd's folder for users, whoever owns it.
    let mut users = Vec::new();
    let mut at = root();
    for name in [
        &format!("pfsnoop-users-{}", std::process::id()),
        "user.slice",
        &format!("libpod-{users_id}.scope"),
    ] {
        at.push(name);
        users.insert(0, Cgroup::at(at.clone()));
    }
    run(&at, "m-counts-users");

    for (mark, id) in
        [("m-counts", &true_id), ("m-counts-not", &false_id), ("m-counts-users", &users_id)]
    {
        let is_it = |one: &Value| one["args"][1] == mark;
        let row = wait_for_record(&all, mark, is_it);
        assert_is_disputed(&row, id);
    }
    let shown =
        |snoop: Running| snoop.interrupt().1.iter().filter(|row| row.contains("m-counts")).count();
    assert_eq!([by_true, by_false, by_users].map(shown), [1, 0, 0]);
}

/// A container that may make cgroups gives one a name that is no text.
#[test]
fn a_container_does_not_hide_by_the_name_of_a_cgroup() {
    let id = format!("{:032x}", std::process::id()) + &"9".repeat(32);
    let outer = Cgroup::named(&format!("docker-{id}.scope"));
    let inner = outer.path().join(std::ffi::OsStr::from_bytes(b"x\xff"));
    let inner = Cgroup::at(inner);
    let nowhere = "unix:///nonexistent/docker.sock";
    let snoop = attached(&mut pfsnoop(&["-o", "json", "-n", "true", "-v"]), nowhere);
    let join = "echo $$ > \"$0/cgroup.procs\"; exec /bin/true m-no-text";
    assert!(output(system("sh").args(["-c", join]).arg(inner.path())).status.success());
    assert_eq!(record(&snoop, "m-no-text")["container"]["id"], id);
    drop(inner);
}

/// The kubelet's folders know the victim's pod by its uid, and its container by its id.
#[test]
fn the_kubelets_folders_name_no_cgroup_that_nobody_made() {
    let dir = TempDir::new("false-logs");
    let id = format!("{:032x}", std::process::id()) + &"d".repeat(32);
    let pod = dir.join(&format!("pods/shop_victim_{UID}/web"));
    std::fs::create_dir_all(&pod).unwrap();
    std::fs::create_dir_all(dir.join("containers")).unwrap();
    let link = dir.join(&format!("containers/victim_shop_web-{id}.log"));
    std::os::unix::fs::symlink(format!("/var/log/pods/shop_victim_{UID}/web/0.log"), link).unwrap();
    let script = "mount --bind \"$1\" /var/log && shift && exec \"$0\" \"$@\"";
    let mut snoop = system("unshare");
    snoop.args(["--mount", "sh", "-c", script, env!("CARGO_BIN_EXE_pfsnoop")]).arg(dir.path());
    snoop.args(["-o", "json", "-n", "true", "-v"]);
    let snoop = attached(&mut snoop, "unix:///nonexistent/docker.sock");

    let delegated = Delegated::new(&hierarchies()[0], "false-logs");
    for (inside, mark) in [
        (format!("kubepods/pod{UID}/{id}"), "m-logs-both"),
        (format!("kubepods/pod{UID}"), "m-logs-pod"),
        (format!("cri-containerd-{id}.scope"), "m-logs-container"),
    ] {
        delegated.run(&inside, &["/bin/true", mark]);
        assert_eq!(record(&snoop, mark).get("pod"), None, "{mark}");
    }
    // The same names where only root makes cgroups.
    let real = Cgroup::named(&format!("cri-containerd-{id}.scope"));
    let join =
        format!("echo $$ > {}/cgroup.procs; exec /bin/true m-logs-own", real.path().display());
    assert!(output(system("sh").args(["-c", &join])).status.success());
    assert_eq!(record(&snoop, "m-logs-own")["pod"]["name"], "victim");
}

/// A runtime that has the container, and reports a process that is elsewhere or has ended.
#[test]
fn what_the_runtime_reports_decides_which_cgroup_is_the_containers() {
    let id = format!("{:032x}", std::process::id()) + &"e".repeat(32);
    let elsewhere = Cgroup::named(&format!("pfsnoop-elsewhere-{}", std::process::id()));
    let own = Cgroup::at(elsewhere.path().join(format!("docker-{id}.scope")));
    let mut first = Command::new("sleep").arg("60").spawn().unwrap();
    std::fs::write(own.path().join("cgroup.procs"), first.id().to_string()).unwrap();
    let pid = first.id();
    let runtime = HttpRuntime::docker("reports", move |_, stream| {
        let answer = serde_json::json!({"Name": "/victim", "State": {"Running": true, "Pid": pid}});
        send(stream, "200 OK", answer.to_string().as_bytes())
    });
    let mut snoop = pfsnoop(&["-o", "json", "-n", "true", "-v"]);
    asks_only(&mut snoop, &runtime.socket());
    let snoop = Running::start_attached(&mut snoop);
    let run = |cgroup: &Cgroup, mark: &str| {
        let join =
            format!("echo $$ > {}/cgroup.procs; exec /bin/true {mark}", cgroup.path().display());
        assert!(output(system("sh").args(["-c", &join])).status.success());
        record(&snoop, mark)["container"].clone()
    };
    assert_eq!(run(&own, "m-reports-own")["name"], "victim");
    let other = Cgroup::named(&format!("docker-{id}.scope"));
    let container = run(&other, "m-reports-other");
    assert_eq!((&container["confirmed"], container.get("name")), (&false.into(), None));
    first.kill().unwrap();
    first.wait_in_time();
}
