//! What `cargo xtask dist` makes: a binary that needs nothing but the kernel, and a package that
//! installs and removes cleanly.

use std::path::Path;

use crate::common::running::Running;
use crate::common::temp::TempDir;
use crate::common::{eventually, stdout_of, system};
use crate::support::dist::{DIST, file_of_dist};
use crate::support::doctor::{examine, severity};

/// Every file and folder below a folder, sorted.
fn contents(folder: &Path) -> Vec<String> {
    let list = stdout_of(system("find").current_dir(folder).args([".", "-mindepth", "1"]));
    let mut list: Vec<String> = list.lines().map(str::to_owned).collect();
    list.sort_unstable();
    list
}

#[test]
fn the_binary_is_small_and_runs_in_an_empty_root() {
    let root = TempDir::new("empty-root");
    let binary = root.join("pfsnoop");
    let len = std::fs::copy(DIST.join("pfsnoop"), &binary).unwrap();
    assert!(len < 16_000_000, "{len} bytes");
    for folder in ["proc", "sys"] {
        std::fs::create_dir(root.join(folder)).unwrap();
    }
    let inside = |args: &str| {
        let mut command = system("unshare");
        let script = format!(
            "mount --rbind /proc proc && mount --rbind /sys sys && exec chroot . /pfsnoop {args}"
        );
        command.current_dir(root.path()).args(["--mount", "sh", "-c", &script]);
        command
    };
    let version = stdout_of(&mut inside("--version"));
    assert_eq!(version, concat!("pfsnoop ", env!("CARGO_PKG_VERSION"), "\n"));
    let (findings, code) = examine(&mut inside("doctor -o json"));
    assert_eq!((severity(&findings, "kernel.tracing", "works"), code), ("ok", Some(0)));
    assert_eq!(severity(&findings, "helper.socat", "does not find"), "warn");
    // Its libraries have all that those of the tests' build have, and it brings the time zones.
    for (zone, line) in [("Asia/Kolkata", r"(?i)\bM-ZONE\b"), ("CET-1CEST", r"\p{Lu}-ZONE$")] {
        let mut snoop = inside(&format!("-T --count 1 -l '{line}'"));
        let mut snoop = Running::start(snoop.env("TZ", zone));
        let hour = || stdout_of(system("date").arg("+%H").env("TZ", zone)).trim().to_owned();
        let before = hour();
        eventually("a row", || {
            stdout_of(system("true").arg("M-ZONE"));
            (snoop.stdout().len() == 2).then_some(())
        });
        let row = &snoop.stdout()[1];
        assert!([before, hour()].iter().any(|hour| row.starts_with(hour)), "{zone}: {row}");
        assert_eq!(snoop.stderr(), [""; 0]);
        assert!(snoop.wait().success());
    }
    // It traces processes outside.
    let mark = root.path().display().to_string();
    let mut snoop = Running::start(&mut inside(&format!("-x -l '{mark}' --count 1")));
    eventually("a row", || {
        stdout_of(system("true").arg(&mark));
        (snoop.stdout().len() == 2).then_some(())
    });
    assert!(snoop.wait().success());
    assert_eq!(contents(root.path()), ["./pfsnoop", "./proc", "./sys"], "no file is left behind");
}

#[test]
fn each_file_has_the_hash_that_is_listed() {
    let check = stdout_of(system("sha256sum").args(["--check", "SHA256SUMS"]).current_dir(&*DIST));
    assert_eq!(check.lines().filter(|line| line.ends_with(": OK")).count(), 3, "{check}");
}

#[test]
fn the_package_installs_and_removes_cleanly() {
    let system_root = TempDir::new("deb-root");
    for folder in ["var/lib/dpkg/info", "var/lib/dpkg/updates"] {
        std::fs::create_dir_all(system_root.join(folder)).unwrap();
    }
    std::fs::write(system_root.join("var/lib/dpkg/status"), "").unwrap();
    let deb = file_of_dist(".deb");
    let dpkg = |args: &[&str]| {
        let mut command = system("dpkg");
        let root = format!("--root={}", system_root.path().display());
        stdout_of(command.args([&root, "--force-script-chrootless"]).args(args));
    };
    dpkg(&["-i", deb.to_str().unwrap()]);
    let installed = contents(system_root.path());
    for path in [
        "usr/bin/pfsnoop",
        "usr/share/man/man1/pfsnoop.1.gz",
        "usr/share/man/man1/pfsnoop-doctor.1.gz",
        "usr/share/bash-completion/completions/pfsnoop",
        "usr/share/zsh/vendor-completions/_pfsnoop",
        "usr/share/fish/vendor_completions.d/pfsnoop.fish",
        "usr/lib/systemd/system/pfsnoop-agent.service",
        "usr/share/doc/pfsnoop/records.schema.json",
        "usr/share/doc/pfsnoop/copyright",
    ] {
        assert!(installed.contains(&format!("./{path}")), "{path} in {installed:#?}");
    }
    let page = |name: &str| installed.contains(&format!("./usr/share/doc/pfsnoop/{name}.md"));
    for name in ["runbook", "serve", "agent", "history", "metrics", "otlp", "SECURITY"] {
        assert!(page(name), "{name} in {installed:#?}");
    }
    assert!(!page("CONTRIBUTING"), "{installed:#?}");
    let hidden = installed.iter().any(|path| path.contains("demo-web"));
    assert!(!hidden, "{installed:#?}");
    stdout_of(std::process::Command::new(system_root.join("usr/bin/pfsnoop")).arg("--help"));
    let bash = system_root.join("usr/share/bash-completion/completions/pfsnoop");
    stdout_of(system("bash").arg("-n").arg(bash));

    let enabled = installed.iter().any(|path| path.contains("/etc/systemd"));
    assert!(!enabled, "somebody must enable the service: {installed:#?}");
    let stored = system_root.join("var/lib/pfsnoop");
    std::fs::create_dir(&stored).unwrap();
    std::fs::write(stored.join("sessions.db"), "").unwrap();
    dpkg(&["--remove", "pfsnoop"]);
    assert!(stored.exists(), "a package that is removed keeps its data");

    dpkg(&["--purge", "pfsnoop"]);
    assert!(!stored.exists(), "a package that is purged does not");
    let left: Vec<String> = contents(system_root.path());
    let left: Vec<&String> = left.iter().filter(|path| !path.starts_with("./var")).collect();
    assert!(left.is_empty(), "{left:#?}");
}
