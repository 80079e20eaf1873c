//! The commands that `pfsnoop doctor` gives, pasted into a shell.

use crate::doctor::daemons::StandIn;
use crate::doctor::node::{alone, find, severity};
use crate::doctor::target::cure;
use crate::support::{stdout_of, system};

#[test]
fn a_wider_path_is_written_for_the_daemons_unit() {
    for (name, unit) in [
        ("kubelet", "kubelet"),
        ("cri-dockerd", "cri-docker"),
        ("k3s-server", "k3s"),
        ("k3s-agent", "k3s-agent"),
    ] {
        let daemon = StandIn::new(name, "doctor-path");
        // k3s forwards by helpers where its own cri-dockerd is.
        let k3s = "mount -t tmpfs none /run; mkdir -p /run/k3s/cri-dockerd; \
                   touch /run/k3s/cri-dockerd/cri-dockerd.sock";
        let start = format!("PATH=/nonexistent {} 1000 & {}", daemon.path(), daemon.is_up());
        let (findings, _) = alone(&format!("{k3s}\n{start}; $PFSNOOP doctor -o json"));
        assert_eq!(severity(&findings, "helper.nsenter", &format!("{name} (pid ")), "fail");
        let (write, restart) = cure(&findings, "helper.socat").split_once(" && systemctl").unwrap();
        assert!(restart.ends_with(&format!(" restart {unit}")), "{restart}");
        // As JSON has it, and as it stands in the text.
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
fn a_daemon_gets_more_files_and_keeps_the_limit_up_to_which_it_may_have_more() {
    let kubelet = StandIn::new("kubelet", "doctor-limit");
    let with = |hard: &str, then: &str| {
        let start = format!(
            "for i in {{1..30}}; do exec {{fd}}</dev/null; done; open=(/proc/$BASHPID/fd/*)\n\
             soft=$((${{#open[@]}} * 10 / 9)); ulimit -Sn $soft; ulimit -Hn {hard}\n\
             exec {} 1000",
            kubelet.path()
        );
        let is_up = kubelet.is_up();
        alone(&format!("({start}) & kubelet=$!; {is_up}; {then}\n$PFSNOOP doctor -o json")).0
    };
    let mended = with(
        "4096",
        "limits() { prlimit -p $kubelet --nofile -o SOFT,HARD --noheadings; }\n\
         read soft hard < <(limits)\n\
         $($PFSNOOP doctor 2> /dev/null | sed -n 's/^ *cure: prlimit/prlimit/p')\n\
         read more most < <(limits); [ \"$more $most\" = \"$((soft * 2)) 4096\" ] || exit 9",
    );
    assert_eq!(severity(&mended, "limit.daemon-files", "kubelet"), "ok");
    // Both must rise, which takes a capability that those who test need not have.
    let full = with("$soft", ":");
    let (_, limits) = cure(&full, "limit.daemon-files").split_once("--nofile=").unwrap();
    let (soft, hard) = limits.split_once(':').unwrap();
    assert!(soft == hard && !soft.is_empty(), "{limits}");
}

#[test]
fn a_helper_that_does_not_run_is_installed_again() {
    let kubelet = StandIn::new("kubelet", "doctor-broken");
    let broken = std::env::temp_dir().join(format!("pfsnoop-broken-{}", std::process::id()));
    std::fs::write(&broken, "#!/nowhere/sh\n").unwrap();
    stdout_of(system("chmod").arg("755").arg(&broken));
    let start = format!("{} 1000 & {}", kubelet.path(), kubelet.is_up());
    let (findings, code) = alone(&format!(
        "mount --bind {} /usr/bin/socat; {start}; $PFSNOOP doctor -o json",
        broken.display(),
    ));
    std::fs::remove_file(&broken).unwrap();
    for (whose, bad) in [("kubelet (pid ", "fail"), ("pfsnoop", "warn")] {
        let found = find(&findings, "helper.socat", whose).unwrap();
        let what = found["what"].as_str().unwrap();
        assert!(what.contains("finds /usr/bin/socat, which does not run: No such file"), "{what}");
        assert_eq!(found["severity"], bad);
        assert_eq!(found["cure"], "apt-get install --reinstall socat");
        assert_eq!(severity(&findings, "helper.nsenter", whose), "ok");
    }
    assert_eq!(code, Some(1));
}

#[test]
fn a_daemon_in_a_container_is_mended_inside() {
    let kubelet = StandIn::new("kubelet", "doctor-inside");
    let root = std::env::temp_dir().join(format!("pfsnoop-inside-{}", std::process::id()));
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
    let (findings, _) =
        alone(&format!("cd {}; {libraries}; {start}; $PFSNOOP doctor -o json", root.display()));
    let inside = cure(&findings, "helper.socat");
    assert!(inside.starts_with("nsenter -t ") && inside.ends_with(" -m apk add socat"), "{inside}");
    assert_eq!(severity(&findings, "helper.socat", "pfsnoop finds /usr/bin/socat"), "ok");
    std::fs::remove_dir_all(&root).unwrap();
}

#[test]
fn what_does_not_matter_has_no_cure() {
    let dockerd = StandIn::new("dockerd", "doctor-dockerd");
    let start = format!("PATH=/nonexistent {} 1000 & {}", dockerd.path(), dockerd.is_up());
    let (findings, code) = alone(&format!("{start}; $PFSNOOP doctor -o json"));
    // That a note has none is looked at wherever findings are read.
    for check in ["helper.socat", "helper.nsenter"] {
        let found = find(&findings, check, "dockerd (pid ").unwrap();
        assert_eq!(found["severity"], "note", "{found}");
        assert!(found["why"].as_str().unwrap().contains("it is cri-dockerd that forwards"));
    }
    assert_eq!(code, Some(0));
}
