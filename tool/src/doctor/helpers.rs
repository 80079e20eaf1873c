//! nsenter and socat, as the process that forwards finds them.

use std::ffi::OsStr;

use super::Finding;
use super::Severity::{self, Fail, Note, Warn};
use crate::node::daemons::{Daemon, Road};
use crate::node::distribution::Packages;
use crate::node::program::{self, Root, shown};

const WHY: &str = "without it a forward ends with \"unable to do port forwarding: ... not found\"";
const WHY_OWN: &str = "`pfsnoop forward` takes the kubelet's road with both, else the native one";
const WHY_NATIVE: &str = "it does not matter: the container runtime forwards by itself";
const WHY_NOTHING: &str =
    "Docker itself forwards nothing for kubectl; cri-dockerd, which does, is not running";

/// Where distributions put both.
const USUAL_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// Who looks for the programs.
struct Seeker<'a> {
    name: &'a str,
    /// Of a daemon.
    pid: Option<u32>,
    root: Root,
    path: Option<&'a OsStr>,
    /// How bad it is that one is missing.
    severity: Severity,
    why: &'static str,
}

/// Looks both up for each daemon, and for ourselves.
pub async fn helpers(daemons: &[Daemon], packages: Packages) -> Vec<Finding> {
    let path = std::env::var_os("PATH");
    let own = Seeker {
        name: "pfsnoop",
        pid: None,
        root: Root::own(),
        path: path.as_deref(),
        severity: Warn,
        why: WHY_OWN,
    };
    let mut findings = Vec::new();
    for seeker in daemons.iter().map(seeker).chain([own]) {
        for (name, check) in [("socat", "helper.socat"), ("nsenter", "helper.nsenter")] {
            findings.push(seeker.look_up(name, check, packages).await);
        }
    }
    findings
}

fn seeker(daemon: &Daemon) -> Seeker<'_> {
    let (severity, why) = match daemon.road {
        Road::Helpers => (Fail, WHY),
        Road::OfRuntime(_) => (Note, WHY_NATIVE),
        Road::Nothing => (Note, WHY_NOTHING),
    };
    let Daemon { pid, name, path, .. } = daemon;
    let root = Root::of_process(*pid);
    Seeker { name, pid: Some(*pid), root, path: path.as_deref(), severity, why }
}

impl Seeker<'_> {
    async fn look_up(&self, name: &str, check: &'static str, packages: Packages) -> Finding {
        let who = match self.pid {
            Some(pid) => format!("{} (pid {pid})", self.name),
            None => self.name.to_owned(),
        };
        let Some(file) = self.path.and_then(|path| self.root.look_up(name, path)) else {
            let what = format!("{who} does not find {name} in its PATH: {}", shown(self.path));
            let is_installed = self.root.look_up(name, OsStr::new(USUAL_PATH)).is_some();
            let cure = if is_installed { self.wider_path() } else { packages.install(name) };
            return Finding::new(self.severity, check, what, self.why).cure(cure);
        };
        // What is found among somebody else's files, in a container's for one, is not run as root.
        let version = if self.root.is_ours() { program::version(&file).await } else { None };
        let version = version.map_or_else(String::new, |version| format!(" ({version})"));
        Finding::ok(check, format!("{who} finds {}{version}", file.display()), self.why)
    }

    /// The program is there: it is the PATH that hides it.
    fn wider_path(&self) -> String {
        if self.pid.is_none() {
            return format!("export PATH={USUAL_PATH}");
        }
        let unit = match self.name {
            "cri-dockerd" => "cri-docker",
            "dockerd" => "docker",
            "k3s-server" => "k3s",
            name => name,
        };
        let folder = format!("/etc/systemd/system/{unit}.service.d");
        format!(
            "mkdir -p {folder} && printf '[Service]\nEnvironment=PATH={USUAL_PATH}\n' > \
             {folder}/path.conf && systemctl daemon-reload && systemctl restart {unit}"
        )
    }
}
