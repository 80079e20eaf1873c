//! `pfsnoop doctor` where things are odd: few rights, hostile names, readers that leave, runtimes
//! that say nothing.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::time::Instant;

use crate::doctor::daemons::StandIn;
use crate::doctor::node::{alone, examine, find, severity};
use crate::doctor::target::cure;
use crate::support::{output, pfsnoop, system, text};

/// Shell: `nobody ...` is the binary, where everybody may run it, with the rights of nobody.
const NOBODY: &str = "\
    mount -t tmpfs none /mnt; touch /mnt/pfsnoop; mount --bind $PFSNOOP /mnt/pfsnoop
    nobody() { setpriv --reuid 65534 --regid 65534 --clear-groups /mnt/pfsnoop \"$@\"; }";

/// Shell: a forward to port 7111 that is up, and moves nothing.
const FORWARD: &str = "\
    socat TCP4-LISTEN:7111,bind=127.0.0.1,fork,reuseaddr EXEC:cat &
    until ss -Hltn | grep -q :7111; do sleep 0.05; done
    (sleep 60 | socat - TCP4:localhost:7111 > /dev/null; :) &
    until ss -Htn | grep -q :7111; do sleep 0.05; done";

#[test]
fn without_root_nothing_is_claimed_that_was_not_seen() {
    let kubelet = StandIn::new("kubelet", "doctor-nobody");
    let start = format!("{} 1000 & {}", kubelet.path(), kubelet.is_up());
    let (findings, code) = alone(&format!("{start}\n{NOBODY}\n{FORWARD}\nnobody doctor -o json"));
    let capabilities = "lacks CAP_SYS_ADMIN, CAP_SYS_PTRACE";
    assert_eq!((severity(&findings, "kernel.capabilities", capabilities), code), ("fail", Some(1)));
    assert_eq!(cure(&findings, "kernel.capabilities"), "sudo pfsnoop doctor");
    for (check, program) in [("helper.socat", "socat"), ("helper.nsenter", "nsenter")] {
        let part = format!("finds {program} cannot be seen: ");
        assert_eq!(severity(&findings, check, &part), "warn");
        assert_eq!(find(&findings, check, "kubelet (pid ").unwrap()["cure"], "sudo pfsnoop doctor");
        assert_eq!(severity(&findings, check, "pfsnoop finds /usr/bin/"), "ok");
    }
    assert_eq!(severity(&findings, "leftover", "of 1 running socats of forwards, 1 "), "note");

    let (findings, _) = alone(&format!("{NOBODY}\nnobody doctor -o json pid/$$"));
    assert_eq!(severity(&findings, "target.process", "cannot look at process "), "fail");
    assert!(cure(&findings, "target.process").starts_with("sudo pfsnoop doctor pid/"));
}

#[test]
fn rights_within_a_user_namespace_are_not_the_nodes() {
    let (findings, _) = alone("unshare --user --map-root-user $PFSNOOP doctor -o json");
    assert_eq!(severity(&findings, "kernel.capabilities", "in a user namespace"), "fail");
    assert_eq!(severity(&findings, "kernel.tracing", "does not work"), "fail");
}

#[test]
fn a_usual_socket_where_nobody_answers_is_no_failure() {
    for (socket, unit) in [
        ("docker.sock", "docker"),
        ("containerd/containerd.sock", "containerd"),
        ("k3s/containerd/containerd.sock", "k3s"),
        ("crio/crio.sock", "crio"),
        ("podman/podman.sock", "podman.socket"),
    ] {
        let (findings, code) = alone(&format!(
            "mount -t tmpfs none /run; mkdir -p $(dirname /run/{socket})\n\
             socat -u UNIX-LISTEN:/run/{socket},unlink-close=0 - &\n\
             until [ -S /run/{socket} ]; do sleep 0.05; done; kill $!; wait $!\n\
             $PFSNOOP doctor -o json"
        ));
        let part = format!("{socket} does not answer: ");
        assert_eq!((severity(&findings, "runtime", &part), code), ("warn", Some(0)));
        assert_eq!(cure(&findings, "runtime"), format!("systemctl restart {unit}"));
    }
}

#[test]
fn a_runtime_that_takes_calls_and_says_nothing_is_not_waited_for_for_long() {
    let socket = std::env::temp_dir().join(format!("pfsnoop-mute-{}", std::process::id()));
    // Calls stay in its queue: they are neither taken nor refused.
    let _mute = UnixListener::bind(&socket).unwrap();
    let path = socket.to_str().unwrap();
    for kind in ["cri", "docker"] {
        for (target, check) in [(None, "runtime"), (Some("kuard"), "target.found")] {
            let start = Instant::now();
            let args = ["doctor", "-o", "json", "--runtime", kind, "--runtime-endpoint", path];
            let (findings, code) = examine(pfsnoop(&args).args(target));
            assert_eq!((severity(&findings, check, path), code), ("fail", Some(1)));
            let took = start.elapsed();
            assert!((4..15).contains(&took.as_secs()), "{kind}: {took:?}");
        }
    }
    std::fs::remove_file(&socket).unwrap();
}

#[test]
fn a_usual_socket_where_calls_wait_is_a_failure() {
    // At last there is no room for one more call.
    let calls = |count: u32| {
        format!("for i in {{1..{count}}}; do socat -u UNIX-CONNECT:$at - & done; sleep 1")
    };
    for (socket, waiting, why) in [
        ("docker.sock", String::new(), "Timeout error"),
        ("containerd/containerd.sock", String::new(), "no answer in 5 s"),
        ("containerd/containerd.sock", calls(12), "operation would block"),
    ] {
        let (findings, code) = alone(&format!(
            "mount -t tmpfs none /run; mkdir -p $(dirname /run/{socket})\n\
             at=/run/{socket}; socat -u UNIX-LISTEN:$at,fork EXEC:'sleep 60' & socat=$!\n\
             until [ -S $at ]; do sleep 0.05; done; kill -STOP $socat\n\
             {waiting}\n\
             $PFSNOOP doctor -o json; code=$?; kill -KILL $socat; exit $code"
        ));
        let part = format!("{socket} does not answer: {why}");
        assert_eq!((severity(&findings, "runtime", &part), code), ("fail", Some(1)), "{socket}");
    }
}

#[test]
fn names_and_environments_of_others_are_shown_and_not_obeyed() {
    let kubelet = StandIn::new("kubelet", "doctor-hostile");
    let odd = OsStr::from_bytes(b"x) Z 1\n\xff\x1b[31m");
    std::fs::copy("/bin/sleep", Path::new(kubelet.path()).with_file_name(odd)).unwrap();
    let start = format!(
        "cd $(dirname {0}); $'./x) Z 1\\n\\xff\\x1b[31m' 1000 &\n\
         PATH=$'/a\\x1b[31m:/b\\n\\xff:/c\\u202e' {0} 1000 & {1}",
        kubelet.path(),
        kubelet.is_up()
    );
    let start = format!("export LC_ALL=C.UTF-8; {start}");
    let (findings, code) = alone(&format!("{start}; $PFSNOOP doctor -o json"));
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

    // An argument that is no text hides none of the others; a shell does not mind either.
    std::fs::copy("/bin/bash", kubelet.path()).unwrap();
    let (findings, code) = kubelet.examine(
        "PATH=/nonexistent exec DAEMON -c 'read -t 100 <> <(:); :' $'\\xff' \
         --container-runtime-endpoint=unix:///run/containerd/containerd.sock",
    );
    assert_eq!(severity(&findings, "helper.socat", "kubelet (pid "), "note");
    assert_eq!(code, Some(0));
}

#[test]
fn readers_that_leave_and_disks_that_are_full() {
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
fn a_thousand_processes_are_looked_at_in_a_moment() {
    let (findings, _) = alone(
        "for i in {1..1000}; do sleep 60 & done; begin=$SECONDS; $PFSNOOP doctor -o json\n\
         [ $((SECONDS - begin)) -lt 10 ] || exit 9",
    );
    let what = find(&findings, "limit.pids", "").unwrap()["what"].as_str().unwrap();
    let count: u32 = what.split(' ').next().unwrap().parse().unwrap();
    assert!((1001..1100).contains(&count), "{what}");
}

/// Calls by which a process may change something that outlives it.
const CHANGES: &str = "trace=openat,open,openat2,creat,mkdir,mkdirat,mknod,mknodat,unlink,unlinkat,\
    rmdir,rename,renameat,renameat2,link,linkat,symlink,symlinkat,chmod,fchmod,fchmodat,chown,fchown,\
    lchown,fchownat,truncate,ftruncate,mount,umount2,move_mount,kill,tkill,tgkill,\
    pidfd_send_signal,prlimit64,setpriority,sethostname,utimensat,unshare";

#[test]
fn nothing_is_changed_on_the_node() {
    let mut pause = system("sleep").arg("60").spawn().unwrap();
    let target = format!("pid/{}", pause.id());
    let log = std::env::temp_dir().join(format!("pfsnoop-strace-{}", std::process::id()));
    for args in [&["doctor"][..], &["doctor", &target]] {
        let mut strace = system("strace");
        strace.args(["-f", "-qq", "-e", CHANGES, "-e", "signal=none", "-o"]).arg(&log);
        let ended = output(strace.arg(env!("CARGO_BIN_EXE_pfsnoop")).args(args));
        assert!(text(&ended.stdout).contains("ok  "), "{ended:?}");
        let calls = text(&std::fs::read(&log).unwrap());
        assert!(calls.lines().count() > 50, "{calls}");
        // tracefs is mounted where nobody but the thread that reads it sees it.
        let unseen = |call: &&str| {
            let (thread, call) = call.split_once(' ').unwrap();
            let left = format!("{thread} unshare(CLONE_NEWNS");
            call.contains("mount(") && calls.replace("  ", " ").contains(&left)
        };
        // It ends the socats that it has spawned, and whose calls are here for that reason.
        let own = |call: &&str| {
            let killed = call.split_once(" kill(").and_then(|(_, rest)| rest.split_once(','));
            killed.is_some_and(|(pid, _)| calls.contains(&format!("\n{pid} ")))
        };
        let changes =
            calls.lines().filter(|call| !changes_nothing(call) && !unseen(call) && !own(call));
        let changes: Vec<&str> = changes.collect();
        assert!(changes.is_empty(), "{changes:#?}");
    }
    std::fs::remove_file(&log).unwrap();
    pause.kill().unwrap();
    pause.wait().unwrap();
}

/// A line of strace.
fn changes_nothing(call: &str) -> bool {
    let opens = call.contains(" open") || call.contains("<... open");
    let reads = opens && !["O_WRONLY", "O_RDWR", "O_CREAT"].iter().any(|flag| call.contains(flag));
    // A question for its own limits.
    let asks = call.contains("prlimit64(0, ") && call.contains(", NULL, ");
    reads
        || asks
        || call.contains("\"/dev/null\"")
        || call.contains("+++ exited with")
        || call.contains("unshare(")
}
