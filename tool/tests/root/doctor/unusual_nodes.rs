//! `pfsnoop doctor` on unusual nodes: few capabilities, hostile names, closed pipes, runtimes that
//! do not answer.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;

use crate::common::{output, system, text};
use crate::support::doctor::{examine_alone, find, fix, severity};
use crate::support::stand_in::StandIn;

/// Shell: `nobody ARGS...` runs the binary as the user nobody. The build's folder may be closed to
/// other users, so the binary is mounted elsewhere.
const NOBODY: &str = "\
    mount -t tmpfs none /mnt; touch /mnt/pfsnoop; mount --bind $PFSNOOP /mnt/pfsnoop
    nobody() { setpriv --reuid 65534 --regid 65534 --clear-groups /mnt/pfsnoop \"$@\"; }";

/// Shell: starts an idle connection of socat to port 7111.
const FORWARD: &str = "\
    socat TCP4-LISTEN:7111,bind=127.0.0.1,fork,reuseaddr EXEC:cat &
    until ss -Hltn | grep -q :7111; do sleep 0.05; done
    (sleep 60 | socat - TCP4:localhost:7111 > /dev/null; :) &
    until ss -Htn | grep -q :7111; do sleep 0.05; done";

#[test]
fn without_root_it_claims_nothing_that_it_could_not_read() {
    let kubelet = StandIn::new("kubelet", "doctor-nobody");
    let start = kubelet.start();
    let (findings, code) =
        examine_alone(&format!("{start}\n{NOBODY}\n{FORWARD}\nnobody doctor -o json"));
    let capabilities = "lacks CAP_SYS_ADMIN, CAP_SYS_PTRACE";
    assert_eq!((severity(&findings, "kernel.capabilities", capabilities), code), ("fail", Some(1)));
    assert_eq!(fix(&findings, "kernel.capabilities"), "sudo pfsnoop doctor");
    for (check, program) in [("helper.socat", "socat"), ("helper.nsenter", "nsenter")] {
        let part = format!("finds {program}: ");
        assert_eq!(severity(&findings, check, &part), "warn");
        assert_eq!(find(&findings, check, "kubelet (pid ").unwrap()["fix"], "sudo pfsnoop doctor");
        assert_eq!(severity(&findings, check, "pfsnoop finds /usr/bin/"), "ok");
    }
    assert_eq!(severity(&findings, "leftover", "idle cannot be read for 1 of 1 that run"), "note");

    let (findings, _) = examine_alone(&format!("{NOBODY}\nnobody doctor -o json pid/$$"));
    assert_eq!(severity(&findings, "target.process", "cannot read process "), "fail");
    assert!(fix(&findings, "target.process").starts_with("sudo pfsnoop doctor pid/"));
}

#[test]
fn capabilities_in_a_user_namespace_are_not_enough() {
    let (findings, _) = examine_alone("unshare --user --map-root-user $PFSNOOP doctor -o json");
    assert_eq!(severity(&findings, "kernel.capabilities", "in a user namespace"), "fail");
    assert_eq!(severity(&findings, "kernel.tracing", "does not work"), "fail");
}

#[test]
fn hostile_names_and_environments_are_escaped() {
    let kubelet = StandIn::new("kubelet", "doctor-hostile");
    let odd = OsStr::from_bytes(b"x) Z 1\n\xff\x1b[31m");
    std::fs::copy("/bin/sleep", kubelet.path().with_file_name(odd)).unwrap();
    let start = format!(
        "cd $(dirname {0}); $'./x) Z 1\\n\\xff\\x1b[31m' 1000 &\n\
         PATH=$'/a\\x1b[31m:/b\\n\\xff:/c\\u202e' {0} 1000 & {1}",
        kubelet.path().display(),
        kubelet.is_up()
    );
    let start = format!("export LC_ALL=C.UTF-8; {start}");
    let (findings, code) = examine_alone(&format!("{start}; $PFSNOOP doctor -o json"));
    let found = find(&findings, "helper.socat", "kubelet (pid ").unwrap();
    let what = found["what"].as_str().unwrap();
    assert!(what.ends_with("PATH: /a\u{1b}[31m:/b\n\u{fffd}:/c\u{202e}"), "{what:?}");
    assert_eq!(code, Some(1));

    let script = format!("{start}; {} doctor", env!("CARGO_BIN_EXE_pfsnoop"));
    let mut command = system("unshare");
    command.args(["--pid", "--fork", "--mount-proc", "--kill-child", "bash", "-c", &script]);
    let shown = text(&output(&mut command).stdout);
    assert!(shown.contains("PATH: /a\\x1b[31m:/b\\n\u{fffd}:/c\\u{202e}\n"), "{shown}");
    assert!(!shown.contains(['\u{1b}', '\u{202e}']), "{shown:?}");

    // An argument that is not UTF-8 does not hide the others. The stand-in becomes a shell, which
    // accepts both.
    std::fs::copy("/bin/bash", kubelet.path()).unwrap();
    let (findings, code) = kubelet.examine(
        "PATH=/nonexistent exec DAEMON -c 'read -t 100 <> <(:); :' $'\\xff' \
         --container-runtime-endpoint=unix:///run/containerd/containerd.sock",
    );
    assert_eq!(severity(&findings, "helper.socat", "kubelet (pid "), "note");
    assert_eq!(code, Some(0));
}

#[test]
fn a_closed_pipe_is_no_failure_and_a_full_disk_is() {
    let full = "pfsnoop: No space left on device (os error 28)\n";
    for (reader, code, said) in [("| head -n 1", 0, ""), (">&-", 0, ""), ("> /dev/full", 1, full)] {
        let doctor = env!("CARGO_BIN_EXE_pfsnoop");
        let script = format!("{doctor} doctor {reader}; exit ${{PIPESTATUS[0]}}");
        let ended = output(system("bash").args(["-c", &script]));
        assert_eq!(
            (ended.status.code(), text(&ended.stderr).as_str()),
            (Some(code), said),
            "{script}"
        );
    }
}

#[test]
fn a_thousand_processes_take_less_than_ten_seconds() {
    let (findings, _) = examine_alone(
        "for i in {1..1000}; do sleep 60 & done; begin=$SECONDS; $PFSNOOP doctor -o json\n\
         [ $((SECONDS - begin)) -lt 10 ] || exit 9",
    );
    let what = find(&findings, "limit.pids", "").unwrap()["what"].as_str().unwrap();
    let count: u32 = what.split(' ').next().unwrap().parse().unwrap();
    assert!((1001..1100).contains(&count), "{what}");
}
