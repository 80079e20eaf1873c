//! Docker, and images that are made of this machine's busybox: no registry is needed.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result};

use super::daemon::Daemon;
use crate::run::{find_program, stdout_of, succeeds};

/// The images: one that waits, and one with a shell and a web server.
pub(super) const PAUSE: &str = "pause:1";
pub(super) const KUARD: &str = "kuard:1";

/// runc, but without the negative `oom_score_adj` that a kubelet sets for each sandbox. It needs
/// CAP_SYS_RESOURCE (`__set_oom_adj`, fs/proc/base.c), which root in a container or a virtual machine may lack.
const RUNC: &str = r#"#!/bin/sh
before=
for arg; do
    case $before in
        --bundle) sed -i 's/"oomScoreAdj":-[0-9]*/"oomScoreAdj":0/' "$arg/config.json" ;;
    esac
    before=$arg
done
exec /usr/sbin/runc "$@"
"#;
const RUNC_FILE: &str = "/usr/bin/node-runc";

/// Starts the daemon and gives it the images.
pub(super) fn start() -> Result<Daemon> {
    fs::write(RUNC_FILE, RUNC)?;
    fs::set_permissions(RUNC_FILE, fs::Permissions::from_mode(0o755))?;
    let runtime = format!("node={RUNC_FILE}");
    // Pods and clients are on one node, and nothing leaves it.
    let mut args = vec!["--iptables=false", "--ip6tables=false", "--ip-masq=false"];
    args.extend(["--add-runtime", &runtime, "--default-runtime", "node"]);
    let mut daemon = Daemon::start("dockerd", &args)?;
    daemon.wait_for("Docker", || succeeds(Command::new("docker").arg("info")).then_some(()))?;
    let root = Path::new("/run/node/image");
    fs::create_dir_all(root.join("bin"))?;
    fs::copy(find_program("busybox").context("no busybox")?, root.join("bin/busybox"))?;
    for applet in ["sh", "httpd", "mkdir", "sleep"] {
        symlink("busybox", root.join("bin").join(applet))?;
    }
    import(root, PAUSE, r#"ENTRYPOINT ["/bin/sleep", "100000"]"#)?;
    let serve = "mkdir /www; echo kuard > /www/index.html; exec httpd -f -p 8080 -h /www";
    import(root, KUARD, &format!(r#"CMD ["/bin/sh", "-c", "{serve}"]"#))?;
    Ok(daemon)
}

fn import(root: &Path, image: &str, change: &str) -> Result<()> {
    let script = "tar -C \"$1\" -c . | docker import --change \"$3\" - \"$2\"";
    let mut shell = Command::new("sh");
    stdout_of(shell.args(["-ec", script, "sh"]).arg(root).args([image, change])).map(drop)
}

/// The daemon's version.
pub(super) fn version() -> Result<String> {
    stdout_of(Command::new("docker").args(["version", "--format", "{{.Server.Version}}"]))
}
