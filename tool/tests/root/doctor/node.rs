//! `pfsnoop doctor` without a target: findings about the kernel, limits and runtimes.

use crate::common::temp::TempDir;
use crate::common::{pfsnoop, stdout_of, system};
use crate::support::containerd::Containerd;
use crate::support::docker::Docker;
use crate::support::doctor::{examine, examine_alone, find, fix, parse_findings, severity};
use crate::support::vm;

#[test]
fn on_a_healthy_node_every_check_is_ok() {
    let (findings, code) = examine_alone("$PFSNOOP doctor -o json");
    assert_eq!(code, Some(0));
    for check in [
        "kernel.version",
        "kernel.btf",
        "kernel.capabilities",
        "kernel.hardening",
        "kernel.lockdown",
        "kernel.tracing",
        "helper.socat",
        "helper.nsenter",
        "leftover",
        "limit.pids",
        "limit.files",
    ] {
        assert_eq!(severity(&findings, check, ""), "ok");
    }
    assert!(find(&findings, "kernel.tracing", "works").unwrap()["duration_ns"].is_u64());
    assert!(find(&findings, "helper.socat", "/usr/bin/socat (1.").is_some(), "{findings:#?}");
    assert!(find(&findings, "helper.nsenter", "/usr/bin/nsenter (2.").is_some());
}

#[test]
fn text_has_one_line_per_finding_and_colours_only_on_a_terminal() {
    let plain = stdout_of(pfsnoop(&["doctor"]).env("PATH", "/nonexistent"));
    assert!(!plain.contains('\x1b'), "{plain}");
    let at =
        plain.find("warn  helper.socat         pfsnoop does not find socat in its PATH").unwrap();
    let mut after = plain[at..].lines().skip(1).map(str::trim_start);
    assert!(after.next().unwrap().starts_with("why:  "), "{plain}");
    assert!(after.next().unwrap().starts_with("fix:  export PATH="), "{plain}");
    let command = format!("{} doctor", env!("CARGO_BIN_EXE_pfsnoop"));
    let terminal = |no_color: &str| {
        let mut script = system("script");
        stdout_of(script.args(["-qec", &command, "/dev/null"]).env("NO_COLOR", no_color))
    };
    assert!(terminal("").contains("\x1b[32mok  \x1b[0m  kernel.btf"));
    assert!(!terminal("1").contains('\x1b'));
}

#[test]
fn an_old_kernel_a_missing_btf_and_a_missing_capability_fail() {
    let (findings, _) = examine_alone("setarch --uname-2.6 $PFSNOOP doctor -o json");
    assert_eq!(severity(&findings, "kernel.version", "Linux 2.6."), "fail");
    let upgrade = "apt-get update && apt-get dist-upgrade && reboot";
    assert_eq!(fix(&findings, "kernel.version"), upgrade);
    let (findings, _) =
        examine_alone("mount -t tmpfs none /sys/kernel/btf; $PFSNOOP doctor -o json");
    assert_eq!(severity(&findings, "kernel.btf", "no BTF"), "fail");
    assert_eq!(fix(&findings, "kernel.btf"), upgrade);
    assert_eq!(
        severity(&findings, "kernel.tracing", "does not work: this kernel has no BTF"),
        "fail"
    );
    assert_eq!(fix(&findings, "kernel.tracing"), "pfsnoop exec --verbose");
    let (findings, _) = examine_alone("setpriv --bounding-set=-sys_ptrace $PFSNOOP doctor -o json");
    assert_eq!(severity(&findings, "kernel.capabilities", "lacks CAP_SYS_PTRACE"), "fail");
}

/// In a virtual machine, since lockdown and these limits belong to a whole machine.
#[test]
fn a_locked_down_machine_and_one_at_its_limits() {
    let script = "\
        mount -t securityfs none /sys/kernel/security\n\
        /pfsnoop doctor -o json > /tmp/healthy\n\
        i=0; while [ $i -lt 300 ]; do sleep 100 & i=$((i+1)); done\n\
        n=$(ls -d /proc/[0-9]*/task/[0-9]* | wc -l)\n\
        echo $((n * 100 / 88)) > /proc/sys/kernel/threads-max\n\
        n=$(cut -f1 /proc/sys/fs/file-nr); echo $((n * 100 / 98)) > /proc/sys/fs/file-max\n\
        /pfsnoop doctor -o json > /tmp/full; cat /tmp/healthy; echo; cat /tmp/full";
    let printed = vm::run("6.12", "lockdown=confidentiality", script);
    let (healthy, full) = printed.split_once("\n\n").unwrap_or_else(|| panic!("{printed}"));
    let json = |lines: &str| {
        let lines: Vec<&str> = lines.lines().filter(|line| line.starts_with('{')).collect();
        parse_findings(&lines.join("\n"))
    };
    let (healthy, full) = (json(healthy), json(full));
    assert_eq!(severity(&healthy, "kernel.lockdown", "confidentiality"), "fail");
    assert_eq!(severity(&healthy, "limit.pids", ""), "ok");
    assert_eq!(severity(&healthy, "limit.files", ""), "ok");
    assert_eq!(severity(&full, "limit.pids", ""), "warn");
    assert_eq!(severity(&full, "limit.files", ""), "fail");
}

#[test]
fn runtimes_are_listed_with_their_version_and_forwarding_mode() {
    let docker = Docker::start("doctor-docker");
    let containerd = Containerd::start("doctor-cri");
    docker.run_pod("kuard");
    containerd.run_pod("shop", "kuard", "x", 8080);
    let ask = |docker: &str, cri: &str| {
        let mut command = pfsnoop(&["doctor", "-o", "json"]);
        examine(command.env("DOCKER_HOST", docker).env("CONTAINER_RUNTIME_ENDPOINT", cri)).0
    };
    let both = ask(&docker.host(), &containerd.endpoint());
    let of_docker = find(&both, "runtime", "docker at /").unwrap()["what"].to_string();
    assert!(of_docker.contains("is 20.10") && of_docker.contains("1 pod and"), "{of_docker}");
    assert!(of_docker.contains("by nsenter and socat"), "{of_docker}");
    let of_cri = find(&both, "runtime", "containerd at /").unwrap()["what"].to_string();
    assert!(of_cri.contains("is 1.6") && of_cri.contains("natively"), "{of_cri}");

    let own = docker.own_containerd().display().to_string();
    let other = ask("unix:///nowhere/docker.sock", &own);
    assert_eq!(severity(&other, "runtime", "CRI plugin is disabled"), "note");
    assert_eq!(severity(&other, "runtime", "does not answer: no such socket"), "fail");
}

#[test]
fn a_runtime_that_is_installed_and_does_not_run_can_be_started() {
    let dir = TempDir::new("doctor-podman");
    // podman listens only if systemd does so for it.
    std::os::unix::fs::symlink("/bin/true", dir.join("podman")).unwrap();
    let podman = format!("PATH={} $PFSNOOP doctor -o json", dir.path().display());
    for (script, start) in [
        ("$PFSNOOP doctor -o json", "systemctl start docker"),
        (&podman, "systemctl enable --now podman.socket"),
        (
            "PATH=/nonexistent $PFSNOOP doctor -o json",
            "pfsnoop doctor --runtime-endpoint unix:///PATH/OF/THE/RUNTIME.sock",
        ),
    ] {
        let none = examine_alone(script).0;
        assert_eq!(severity(&none, "runtime", "no container"), "warn");
        assert_eq!(fix(&none, "runtime"), start);
    }
}
