//! `pfsnoop doctor` of the node: each finding where it is so, and where it is not.

use std::process::{Command, Output, Stdio};

use serde_json::Value;

use crate::attribution::containers::start_pod;
use crate::doctor::target::cure;
use crate::support::containerd::Containerd;
use crate::support::docker::Docker;
use crate::support::{output, pfsnoop, stdout_of, system, text, vm};

/// The findings, and the exit code, which must fit them.
pub fn examine(command: &mut Command) -> (Vec<Value>, Option<i32>) {
    parse(&output(command))
}

fn parse(output: &Output) -> (Vec<Value>, Option<i32>) {
    let findings = findings(&text(&output.stdout));
    let code = output.status.code();
    let fails = findings.iter().any(|finding| finding["severity"] == "fail");
    assert_eq!(code, Some(i32::from(fails)), "{output:?}");
    assert_eq!(text(&output.stderr).contains("checks failed"), fails, "{output:?}");
    (findings, code)
}

fn findings(stdout: &str) -> Vec<Value> {
    let parse = |line: &str| {
        let finding: Value =
            serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        assert!(line.starts_with(r#"{"type":"finding","#), "{line}");
        let needs_cure = finding["severity"] == "warn" || finding["severity"] == "fail";
        assert_eq!(needs_cure, finding["cure"].is_string(), "a command that mends it: {line}");
        assert!(finding["why"].is_string(), "{line}");
        let keys = ["type", "severity", "check", "what", "why", "cure", "duration_ns"];
        let is_known = |key: &String| keys.contains(&key.as_str());
        assert!(finding.as_object().unwrap().keys().all(is_known), "{line}");
        finding
    };
    stdout.lines().map(parse).collect()
}

/// The finding of that check, with that in its text.
pub fn find<'a>(findings: &'a [Value], check: &str, part: &str) -> Option<&'a Value> {
    let is_it = |finding: &&Value| {
        finding["check"] == check && finding["what"].as_str().unwrap().contains(part)
    };
    findings.iter().find(is_it)
}

/// Such a finding must be there; its severity.
pub fn severity<'a>(findings: &'a [Value], check: &str, part: &str) -> &'a str {
    let found = find(findings, check, part);
    found.unwrap_or_else(|| panic!("no {check} with {part:?}: {findings:#?}"))["severity"]
        .as_str()
        .unwrap()
}

/// A shell script in a pid and a mount namespace of its own, which ends with all that it has
/// started; `$PFSNOOP doctor -o json` sees nobody else's processes.
pub fn alone(script: &str) -> (Vec<Value>, Option<i32>) {
    let script = format!("PFSNOOP={}\n{script}", env!("CARGO_BIN_EXE_pfsnoop"));
    // It does not outlive a test that is ended from outside; unshare(1) takes no notice of SIGTERM.
    let mut command = system("timeout");
    command.args(["--signal=KILL", "60"]);
    command.args(["unshare", "--pid", "--fork", "--mount-proc", "--kill-child"]);
    command.args(["bash", "-c", &script]);
    examine(command.env_remove("DOCKER_HOST").stdin(Stdio::null()))
}

#[test]
fn a_sound_node_has_no_failure_and_every_check_is_there() {
    let (findings, code) = alone("$PFSNOOP doctor -o json");
    assert_eq!(code, Some(0));
    for check in [
        "kernel.version",
        "kernel.btf",
        "kernel.capabilities",
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
fn text_has_a_line_a_finding_and_colour_only_on_a_terminal() {
    let plain = stdout_of(pfsnoop(&["doctor"]).env("PATH", "/nonexistent"));
    assert!(!plain.contains('\x1b'), "{plain}");
    let at =
        plain.find("warn  helper.socat         pfsnoop does not find socat in its PATH").unwrap();
    let mut after = plain[at..].lines().skip(1).map(str::trim_start);
    assert!(after.next().unwrap().starts_with("why:  "), "{plain}");
    assert!(after.next().unwrap().starts_with("cure: export PATH="), "{plain}");
    let command = format!("{} doctor", env!("CARGO_BIN_EXE_pfsnoop"));
    let terminal = |no_color: &str| {
        let mut script = system("script");
        stdout_of(script.args(["-qec", &command, "/dev/null"]).env("NO_COLOR", no_color))
    };
    assert!(terminal("").contains("\x1b[32mok  \x1b[0m  kernel.btf"));
    assert!(!terminal("1").contains('\x1b'));
}

#[test]
fn an_old_kernel_one_without_btf_and_one_that_forbids() {
    let (findings, _) = alone("setarch --uname-2.6 $PFSNOOP doctor -o json");
    assert_eq!(severity(&findings, "kernel.version", "Linux 2.6."), "fail");
    let upgrade = "apt-get update && apt-get dist-upgrade && reboot";
    assert_eq!(cure(&findings, "kernel.version"), upgrade);
    let (findings, _) = alone("mount -t tmpfs none /sys/kernel/btf; $PFSNOOP doctor -o json");
    assert_eq!(severity(&findings, "kernel.btf", "no BTF"), "fail");
    assert_eq!(cure(&findings, "kernel.btf"), upgrade);
    assert_eq!(severity(&findings, "kernel.tracing", "does not work: this kernel offers"), "fail");
    assert_eq!(cure(&findings, "kernel.tracing"), "pfsnoop exec --verbose");
    let (findings, _) = alone("setpriv --bounding-set=-sys_ptrace $PFSNOOP doctor -o json");
    assert_eq!(severity(&findings, "kernel.capabilities", "lacks CAP_SYS_PTRACE"), "fail");
}

/// In a machine of its own, since all of this is of the whole machine.
#[test]
fn a_locked_down_and_exhausted_machine() {
    let script = "\
        mount -t securityfs none /sys/kernel/security\n\
        /pfsnoop doctor -o json > /tmp/sound\n\
        i=0; while [ $i -lt 300 ]; do sleep 100 & i=$((i+1)); done\n\
        n=$(ls -d /proc/[0-9]*/task/[0-9]* | wc -l)\n\
        echo $((n * 100 / 88)) > /proc/sys/kernel/threads-max\n\
        n=$(cut -f1 /proc/sys/fs/file-nr); echo $((n * 100 / 98)) > /proc/sys/fs/file-max\n\
        /pfsnoop doctor -o json > /tmp/full; cat /tmp/sound; echo; cat /tmp/full";
    let printed = vm::run("6.12", "lockdown=confidentiality", script);
    let (sound, full) = printed.split_once("\n\n").unwrap_or_else(|| panic!("{printed}"));
    let json = |lines: &str| {
        let lines: Vec<&str> = lines.lines().filter(|line| line.starts_with('{')).collect();
        findings(&lines.join("\n"))
    };
    let (sound, full) = (json(sound), json(full));
    assert_eq!(severity(&sound, "kernel.lockdown", "confidentiality"), "warn");
    assert_eq!(severity(&sound, "limit.pids", ""), "ok");
    assert_eq!(severity(&sound, "limit.files", ""), "ok");
    assert_eq!(severity(&full, "limit.pids", ""), "warn");
    assert_eq!(severity(&full, "limit.files", ""), "fail");
}

#[test]
fn runtimes_tell_their_version_and_road() {
    let docker = Docker::start("doctor-docker");
    let containerd = Containerd::start("doctor-cri");
    start_pod(&docker, "kuard");
    containerd.run_pod("shop", "kuard", "x", 8080);
    let ask = |docker: &str, cri: &str| {
        let mut command = pfsnoop(&["doctor", "-o", "json"]);
        examine(command.env("DOCKER_HOST", docker).env("CONTAINER_RUNTIME_ENDPOINT", cri)).0
    };
    let both = ask(&docker.host(), &containerd.endpoint());
    let of_docker = find(&both, "runtime", "docker at /").unwrap()["what"].to_string();
    assert!(of_docker.contains("is 20.10") && of_docker.contains("1 pods"), "{of_docker}");
    assert!(of_docker.contains("by nsenter and socat"), "{of_docker}");
    let of_cri = find(&both, "runtime", "containerd at /").unwrap()["what"].to_string();
    assert!(of_cri.contains("is 1.6") && of_cri.contains("natively"), "{of_cri}");

    let own = docker.own_containerd().display().to_string();
    let other = ask("unix:///nowhere/docker.sock", &own);
    assert_eq!(severity(&other, "runtime", "CRI plugin is disabled"), "note");
    assert_eq!(severity(&other, "runtime", "does not answer: no such socket"), "fail");
    let none = alone("$PFSNOOP doctor -o json").0;
    assert_eq!(severity(&none, "runtime", "no container"), "warn");
    assert!(cure(&none, "runtime").starts_with("pfsnoop doctor --runtime-endpoint unix:///"));
}
