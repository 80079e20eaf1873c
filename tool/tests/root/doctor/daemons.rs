//! `pfsnoop doctor` without a target: findings about daemons, and about processes that they left behind.

use std::process::{Command, Stdio};

use serde_json::Value;

use crate::common::temp::{TempDir, temp_path};
use crate::common::{WaitInTime as _, eventually, pfsnoop, stdout_of, system};
use crate::support::doctor::{examine, examine_alone, find, fix, severity};
use crate::support::pod::DemoPod;
use crate::support::stand_in::StandIn;

#[test]
fn helpers_are_searched_in_the_path_of_the_daemon() {
    let kubelet = StandIn::new("kubelet", "doctor-kubelet");
    let (findings, code) = kubelet.examine("PATH=/nonexistent exec DAEMON 1000");
    assert_eq!((severity(&findings, "helper.socat", "kubelet (pid "), code), ("fail", Some(1)));
    let socat = find(&findings, "helper.socat", "kubelet").unwrap();
    assert!(socat["what"].to_string().contains("PATH: /nonexistent"), "{socat}");
    assert!(socat["fix"].to_string().contains("restart kubelet"), "it is installed: {socat}");
    assert_eq!(find(&findings, "helper.nsenter", "kubelet").unwrap()["fix"], socat["fix"]);

    let (findings, code) = kubelet.examine("exec DAEMON 1000");
    assert_eq!(severity(&findings, "helper.socat", "kubelet (pid "), "ok");
    assert_eq!((severity(&findings, "helper.nsenter", "kubelet (pid "), code), ("ok", Some(0)));

    // socat is missing on the node, then in the daemon's mount namespace only.
    let hide = "mount --bind /dev/null /usr/bin/socat";
    let (findings, _) = examine_alone(&format!(
        "{hide}; PATH=/usr/bin {} 1000 & {}; $PFSNOOP doctor -o json",
        kubelet.path().display(),
        kubelet.is_up()
    ));
    let socat = find(&findings, "helper.socat", "kubelet").unwrap();
    assert_eq!(socat["fix"], "apt-get install socat");
    let (findings, _) =
        kubelet.examine(&format!("unshare --mount sh -c '{hide}; exec DAEMON 1000'"));
    assert_eq!(severity(&findings, "helper.socat", "kubelet (pid "), "fail");
    assert_eq!(severity(&findings, "helper.socat", "pfsnoop finds"), "ok");

    // A process of another user could claim any name, and is ignored.
    let (findings, code) =
        kubelet.examine("PATH=/nonexistent exec /usr/bin/setpriv --reuid 65534 DAEMON 1000");
    assert!(find(&findings, "helper.socat", "kubelet").is_none(), "{findings:#?}");
    assert_eq!(code, Some(0));

    // The stand-in becomes a shell, since sleep(1) does not accept this flag.
    std::fs::copy("/bin/bash", kubelet.path()).unwrap();
    let (findings, code) = kubelet.examine(
        "PATH=/nonexistent exec DAEMON -c 'read -t 100 <> <(:); :' \
         --container-runtime-endpoint=unix:///run/containerd/containerd.sock",
    );
    assert_eq!(severity(&findings, "helper.socat", "kubelet (pid "), "note");
    assert_eq!(code, Some(0), "{findings:#?}");
}

/// The daemon that forwards has another PATH than pfsnoop.
#[test]
fn a_connection_to_a_target_fails_if_the_daemon_finds_no_socat() {
    let daemon = StandIn::new("cri-dockerd", "doctor-dial");
    for (missing, there) in [("socat", "nsenter"), ("nsenter", "socat")] {
        let dir = TempDir::new(&format!("doctor-dial-{missing}"));
        dir.link(there);
        let (findings, code) = examine_alone(&format!(
            "PATH={} {} 1000 & {}; unshare --net sh -c 'ip link set lo up; exec socat \
             TCP4-LISTEN:7115,fork SYSTEM:true' & pod=$!\n\
             until nsenter -t $pod -n ss -Hltn | grep -q :7115; do sleep 0.05; done\n\
             $PFSNOOP doctor -o json pid/$pod 7115",
            dir.path().display(),
            daemon.path().display(),
            daemon.is_up(),
        ));
        let part = format!("forwards to this target, and does not find {missing} in its PATH: ");
        assert_eq!((severity(&findings, "dial.nsenter", &part), code), ("fail", Some(1)));
        assert!(fix(&findings, "dial.nsenter").contains("systemctl restart cri-docker"));
        assert_eq!(severity(&findings, "dial.native", "connects to 7115"), "ok");
    }
}

#[test]
fn no_program_from_a_container_is_executed() {
    let kubelet = StandIn::new("kubelet", "doctor-container");
    let dir = kubelet.dir();
    let mark = dir.join("mark");
    let socat = dir.join("socat");
    let script = format!("#!/bin/sh\necho version 9.9.9\ntouch {}\n", mark.display());
    std::fs::write(&socat, script).unwrap();
    stdout_of(system("chmod").arg("755").arg(&socat));
    let start = format!("PATH={}:/usr/bin:/bin exec DAEMON 1000", dir.display());
    let (findings, _) = kubelet.examine(&format!("unshare --mount sh -c '{start}'"));
    let what = find(&findings, "helper.socat", "kubelet (pid ").unwrap()["what"].to_string();
    assert!(what.ends_with("/socat\"") && !mark.exists(), "{what}");
    // In the node's own mount namespace it is the program that the daemon would execute.
    let (findings, _) = kubelet.examine(&start);
    let what = find(&findings, "helper.socat", "kubelet (pid ").unwrap()["what"].to_string();
    assert!(what.ends_with("/socat (9.9.9)\"") && mark.exists(), "{what}");
}

#[test]
fn each_distribution_has_its_own_install_command() {
    let release = temp_path("release");
    for (id, fix) in [
        ("rocky", "dnf install socat"),
        ("alpine", "apk add socat"),
        ("sles", "zypper install socat"),
        ("arch", "pacman -S socat"),
    ] {
        std::fs::write(&release, format!("ID={id}\n")).unwrap();
        let (findings, _) = examine_alone(&format!(
            "mount --bind {} /etc/os-release; mount --bind /dev/null /usr/bin/socat\n\
             $PFSNOOP doctor -o json",
            release.display()
        ));
        let socat = find(&findings, "helper.socat", "pfsnoop does not find").unwrap();
        assert_eq!((&socat["severity"], &socat["fix"]), (&"warn".into(), &fix.into()), "{id}");
    }
    std::fs::remove_file(&release).unwrap();
}

#[test]
fn a_socat_that_is_left_behind_is_reported_and_the_fix_ends_it() {
    let pod = DemoPod::start();
    let socat = format!("nsenter -t {} -n socat - TCP4:localhost:8080", pod.pause);
    let examine =
        |args: &[&str]| examine(&mut pfsnoop(&[&["doctor", "-o", "json"], args].concat())).0;
    // The parent, a shell, exits at once. socat holds its own stdin open, so it goes on.
    let pipe = temp_path("orphan");
    let mut shell = system("sh");
    let script = format!("mkfifo $0; {socat} 0<>$0 > /dev/null 2>&1 & echo $!");
    shell.arg("-c").arg(&script).arg(&pipe);
    let pid = stdout_of(&mut shell).trim().to_owned();
    let orphan = |findings: &[Value]| {
        find(findings, "leftover.orphan", &format!("socat {pid}, a forward to port 8080")).cloned()
    };
    let found = eventually("the orphan", || orphan(&examine(&[])));
    assert_eq!(
        (&found["severity"], &found["fix"]),
        (&"warn".into(), &format!("kill {pid}").into())
    );
    std::fs::remove_file(&pipe).unwrap();
    stdout_of(system("sh").args(["-c", found["fix"].as_str().unwrap()]));
    eventually("no orphan", || orphan(&examine(&[])).is_none().then_some(()));

    // A socat with a parent counts as left behind once it has been idle for long.
    let mut child = Command::new("sh");
    child.args(["-c", &format!("exec {socat}")]).stdin(Stdio::piped()).stdout(Stdio::null());
    let mut child = child.spawn().unwrap();
    let idle = format!("socat {}, a forward to port 8080, has moved no bytes", child.id());
    let found = eventually("the idle one", || {
        find(&examine(&["--idle", "0.2"]), "leftover.idle", &idle).cloned()
    });
    assert_eq!(found["severity"], "warn");
    assert_eq!(found["fix"], format!("kill {}", child.id()));
    assert!(find(&examine(&[]), "leftover.idle", &idle).is_none(), "the default is four hours");
    child.kill().unwrap();
    child.wait_in_time();
}

#[test]
fn a_daemon_that_is_out_of_files_and_a_full_conntrack_table() {
    let kubelet = StandIn::new("kubelet", "doctor-files");
    let nearly = "for i in {1..30}; do exec {fd}</dev/null; done; \
                  open=(/proc/$BASHPID/fd/*); ulimit -n $((${#open[@]} * 10 / 9))";
    let (findings, _) = kubelet.examine(&format!("{nearly}; exec DAEMON 1000"));
    let files = find(&findings, "limit.daemon-files", "open files of kubelet (pid ");
    let files = files.unwrap_or_else(|| panic!("{findings:#?}"));
    assert_eq!(files["severity"], "warn", "{files}");
    assert!(files["fix"].to_string().contains("prlimit --pid "), "{files}");
    let (findings, _) = kubelet.examine("exec DAEMON 1000");
    assert_eq!(severity(&findings, "limit.daemon-files", "kubelet"), "ok");

    // The connections are real, in a new network namespace. The limit belongs to the machine, so a
    // mount replaces it.
    let most = temp_path("conntrack");
    let table = |max: &str| {
        std::fs::write(&most, max).unwrap();
        examine_alone(&format!(
            "unshare --net bash -c 'ip link set lo up\n\
             iptables -A INPUT -m conntrack --ctstate INVALID -j DROP\n\
             mount --bind {} /proc/sys/net/netfilter/nf_conntrack_max\n\
             socat TCP4-LISTEN:7,fork,reuseaddr EXEC:cat &\n\
             for i in 1 2 3; do echo x | socat - TCP4:127.0.0.1:7,retry=100,interval=0.05 > /dev/null; done\n\
             '$PFSNOOP' doctor -o json'",
            most.display()
        ))
    };
    let full = table("3").0;
    assert_eq!(severity(&full, "limit.conntrack", "3 of 3 connections"), "fail");
    assert_eq!(fix(&full, "limit.conntrack"), "sysctl -w net.netfilter.nf_conntrack_max=6");
    // 0 means no limit.
    assert!(find(&table("0").0, "limit.conntrack", "").is_none());
    assert_eq!(severity(&table("30").0, "limit.conntrack", "3 of 30 connections"), "ok");
    std::fs::remove_file(&most).unwrap();
}
