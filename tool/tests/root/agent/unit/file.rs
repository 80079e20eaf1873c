//! The agent's service of systemd, as the Debian package has it.

use crate::common::temp::TempDir;
use crate::common::{output, stdout_of, system, text};
use crate::support::dist::file_of_dist;

const UNIT: &str = "usr/lib/systemd/system/pfsnoop-agent.service";

/// The files of the package.
fn unpacked() -> TempDir {
    let root = TempDir::new("agent-unit");
    stdout_of(system("dpkg-deb").arg("--extract").arg(file_of_dist(".deb")).arg(root.path()));
    root
}

#[test]
fn systemd_takes_the_service_and_finds_it_hardened() {
    let package = unpacked();
    let unit = package.join(UNIT);
    // It looks for the program and the man page where the package installs them.
    let changed = std::fs::read_to_string(&unit).unwrap();
    let changed =
        changed.replace("/usr/bin/pfsnoop", &package.join("usr/bin/pfsnoop").display().to_string());
    let page = "man:pfsnoop-agent(1)";
    assert!(
        changed.contains(page) && package.join("usr/share/man/man1/pfsnoop-agent.1.gz").exists()
    );
    std::fs::write(&unit, changed.replace(page, "https://example.org")).unwrap();
    let verified = output(system("systemd-analyze").arg("verify").arg(&unit));
    let complaints = text(&verified.stderr);
    let complaints: Vec<&str> =
        complaints.lines().filter(|line| line.contains("pfsnoop-agent")).collect();
    assert!(verified.status.success() && complaints.is_empty(), "{verified:?}");

    let mut security = system("systemd-analyze");
    security.args(["security", "--offline=true", "--threshold=50", "--no-pager"]).arg(&unit);
    let exposure = stdout_of(&mut security);
    assert!(exposure.contains("Overall exposure level"), "{exposure}");
}
