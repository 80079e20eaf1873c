//! The fixes that `pfsnoop doctor` prints, pasted into a shell.

use crate::common::temp::{TempDir, temp_path};
use crate::common::{stdout_of, system};
use crate::support::doctor::{examine_alone, find, fix, severity};
use crate::support::stand_in::StandIn;

#[test]
fn the_path_fix_writes_a_drop_in_for_the_daemons_unit() {
    for (name, unit) in [
        ("kubelet", "kubelet"),
        ("cri-dockerd", "cri-docker"),
        ("k3s-server", "k3s"),
        ("k3s-agent", "k3s-agent"),
    ] {
        let daemon = StandIn::new(name, "doctor-path");
        // k3s uses nsenter and socat when it runs its own cri-dockerd.
        let k3s = "mount -t tmpfs none /run; mkdir -p /run/k3s/cri-dockerd; \
                   touch /run/k3s/cri-dockerd/cri-dockerd.sock";
        let start = format!("PATH=/nonexistent {}", daemon.start());
        let (findings, _) = examine_alone(&format!("{k3s}\n{start}; $PFSNOOP doctor -o json"));
        assert_eq!(severity(&findings, "helper.nsenter", &format!("{name} (pid ")), "fail");
        let (write, restart) = fix(&findings, "helper.socat").split_once(" && systemctl").unwrap();
        assert!(restart.ends_with(&format!(" restart {unit}")), "{restart}");
        // The fix in JSON, and in text.
        for write in [write.to_owned(), write.replace('\n', "\\n")] {
            let file = format!("/etc/systemd/system/{unit}.service.d/path.conf");
            let script = format!("mount -t tmpfs none /etc/systemd; {write}; cat {file}");
            let lines = stdout_of(system("unshare").args(["--mount", "sh", "-c", &script]));
            let path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
            assert_eq!(lines, format!("[Service]\nEnvironment=PATH={path}\n"));
        }
    }
}

#[test]
fn the_files_fix_raises_the_soft_limit_and_keeps_the_hard_limit() {
    let kubelet = StandIn::new("kubelet", "doctor-limit");
    let with = |hard: &str, then: &str| {
        let start = format!(
            "for i in {{1..30}}; do exec {{fd}}</dev/null; done; open=(/proc/$BASHPID/fd/*)\n\
             soft=$((${{#open[@]}} * 10 / 9)); ulimit -Sn $soft; ulimit -Hn {hard}\n\
             exec {} 1000",
            kubelet.path().display()
        );
        let is_up = kubelet.is_up();
        examine_alone(&format!("({start}) & kubelet=$!; {is_up}; {then}\n$PFSNOOP doctor -o json"))
            .0
    };
    let fixed = with(
        "4096",
        "limits() { prlimit -p $kubelet --nofile -o SOFT,HARD --noheadings; }\n\
         read soft hard < <(limits)\n\
         $($PFSNOOP doctor 2> /dev/null | sed -n 's/^ *fix: *prlimit/prlimit/p')\n\
         read more most < <(limits); [ \"$more $most\" = \"$((soft * 2)) 4096\" ] || exit 9",
    );
    assert_eq!(severity(&fixed, "limit.daemon-files", "kubelet"), "ok");
    // Here the fix raises both limits. The test does not run it: that takes a capability which may be
    // missing.
    let full = with("$soft", ":");
    let (_, limits) = fix(&full, "limit.daemon-files").split_once("--nofile=").unwrap();
    let (soft, hard) = limits.split_once(':').unwrap();
    assert!(soft == hard && !soft.is_empty(), "{limits}");
}

#[test]
fn a_helper_that_does_not_run_is_reinstalled() {
    let kubelet = StandIn::new("kubelet", "doctor-broken");
    let broken = temp_path("broken");
    std::fs::write(&broken, "#!/nowhere/sh\n").unwrap();
    stdout_of(system("chmod").arg("755").arg(&broken));
    let start = kubelet.start();
    let (findings, code) = examine_alone(&format!(
        "mount --bind {} /usr/bin/socat; {start}; $PFSNOOP doctor -o json",
        broken.display(),
    ));
    std::fs::remove_file(&broken).unwrap();
    for (finder, severity_expected) in [("kubelet (pid ", "fail"), ("pfsnoop", "warn")] {
        let found = find(&findings, "helper.socat", finder).unwrap();
        let what = found["what"].as_str().unwrap();
        assert!(what.contains("finds /usr/bin/socat, which does not run: No such file"), "{what}");
        assert_eq!(found["severity"], severity_expected);
        assert_eq!(found["fix"], "apt-get install --reinstall socat");
        assert_eq!(severity(&findings, "helper.nsenter", finder), "ok");
    }
    assert_eq!(code, Some(1));
}

#[test]
fn a_daemon_below_another_root_gets_no_command() {
    let kubelet = StandIn::new("kubelet", "doctor-inside");
    let dir = TempDir::new("inside");
    let root = dir.path();
    for folder in ["bin", "etc", "usr/lib", "usr/lib64"] {
        std::fs::create_dir_all(root.join(folder)).unwrap();
    }
    for link in ["lib", "lib64"] {
        std::os::unix::fs::symlink(format!("usr/{link}"), root.join(link)).unwrap();
    }
    std::fs::copy(kubelet.path(), root.join("bin/kubelet")).unwrap();
    std::fs::write(root.join("etc/os-release"), "ID=alpine\n").unwrap();
    std::fs::write(root.join("etc/hosts"), "127.0.0.1 localhost\n").unwrap();
    let libraries = "for lib in usr/lib usr/lib64; do mount --bind /$lib $lib; done";
    let start = format!("chroot . kubelet 1000 & {}", kubelet.is_up());
    let (findings, _) = examine_alone(&format!(
        "cd {}; {libraries}; {start}; $PFSNOOP doctor -o json",
        root.display()
    ));
    let inside =
        find(&findings, "helper.socat", "in namespaces or files that are not the").unwrap();
    assert_eq!(inside["severity"], "warn", "{inside}");
    let words = inside["fix"].as_str().unwrap();
    assert!(words.starts_with("# install socat where kubelet (pid "), "{words}");
    assert_eq!(severity(&findings, "helper.socat", "pfsnoop finds /usr/bin/socat"), "ok");
}

#[test]
fn a_finding_that_does_not_matter_has_no_fix() {
    let dockerd = StandIn::new("dockerd", "doctor-dockerd");
    let start = format!("PATH=/nonexistent {}", dockerd.start());
    let (findings, code) = examine_alone(&format!("{start}; $PFSNOOP doctor -o json"));
    // `parse_findings` checks that a note has no fix.
    for check in ["helper.socat", "helper.nsenter"] {
        let found = find(&findings, check, "dockerd (pid ").unwrap();
        assert_eq!(found["severity"], "note", "{found}");
        let why = found["why"].as_str().unwrap();
        assert!(why.contains("cri-dockerd or a kubelet before 1.24 forwards"), "{why}");
    }
    assert_eq!(code, Some(0));
}
