//! nsenter and socat, as the process that forwards finds them.

use std::ffi::OsStr;

use super::checks::{Checking, Node};
use super::facts::daemons::{Daemon, ProgramSearch};
use super::facts::distribution::Packages;
use super::facts::program::{self, Version, shown};
use super::shell::quoted;
use crate::host::root::Root;
use crate::model::Finding;
use crate::model::ForwardingMode;
use crate::model::Severity::{self, Fail, Note, Warn};

const WHY: &str = "without it a forward ends with \"unable to do port forwarding: ... not found\"";
const WHY_OWN: &str = "`pfsnoop forward` takes the kubelet's road with both, else the native one";
const WHY_NATIVE: &str = "it does not matter: the container runtime forwards by itself";
const WHY_NOTHING: &str =
    "it does not matter: for Docker it is cri-dockerd that forwards, with a PATH of its own";

/// Where distributions put both.
const USUAL_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// Who looks for the programs.
struct Seeker<'a> {
    name: &'a str,
    /// Of a daemon.
    pid: Option<u32>,
    /// How bad it is that one is missing.
    severity: Severity,
    why: &'static str,
}

/// Looks nsenter and socat up as each daemon does, and as pfsnoop does.
pub(super) fn check(node: &Node) -> Checking<'_> {
    Box::pin(helpers(&node.daemons))
}

async fn helpers(daemons: &[Daemon]) -> Vec<Finding> {
    let mut findings = Vec::new();
    let own = own_search();
    let us = Seeker { name: "pfsnoop", pid: None, severity: Warn, why: WHY_OWN };
    let daemons = daemons.iter().map(|daemon| (seeker(daemon), &daemon.search));
    for (seeker, search) in daemons.chain([(us, &own)]) {
        for (name, check) in [("socat", "helper.socat"), ("nsenter", "helper.nsenter")] {
            findings.push(match search {
                Ok(search) => seeker.look_up(name, check, search).await,
                Err(error) => seeker.blind(name, check, error),
            });
        }
    }
    findings
}

/// The command that lets us find a program that we do not find.
pub(super) fn mend_own(name: &str) -> String {
    let us = Seeker { name: "pfsnoop", pid: None, severity: Fail, why: WHY_OWN };
    own_search()
        .map_or_else(|_| format!("export PATH={USUAL_PATH}"), |own| us.mend(name, &own.root))
}

fn own_search() -> std::io::Result<ProgramSearch> {
    Ok(ProgramSearch { path: std::env::var_os("PATH"), root: Root::own()? })
}

fn seeker(daemon: &Daemon) -> Seeker<'_> {
    let (severity, why) = match daemon.mode {
        ForwardingMode::Helpers => (Fail, WHY),
        ForwardingMode::Native => (Note, WHY_NATIVE),
        ForwardingMode::None => (Note, WHY_NOTHING),
    };
    Seeker { name: &daemon.name, pid: Some(daemon.pid), severity, why }
}

impl Seeker<'_> {
    async fn look_up(&self, name: &str, check: &'static str, search: &ProgramSearch) -> Finding {
        let (who, ProgramSearch { path, root }) = (self.who(), search);
        let Some(file) = path.as_deref().and_then(|path| root.look_up(name, path)) else {
            let path = shown(path.as_deref());
            let what = format!("{who} does not find {name} in its PATH: {path}");
            return self.finding(self.severity, check, what, || self.mend(name, root));
        };
        let file_shown = file.display();
        // What is found among somebody else's files, in a container's for one, is not run as root.
        let version = if root.is_ours() { program::version(&file).await } else { Version::Unknown };
        let version = match version {
            Version::Told(version) => format!(" ({version})"),
            Version::Unknown => String::new(),
            Version::Broken(how) => {
                let what = format!("{who} finds {file_shown}, which does not run: {how}");
                let again = || Packages::of(root).install_again(name);
                return self.finding(self.severity, check, what, again);
            }
        };
        Finding::ok(check, format!("{who} finds {file_shown}{version}"), self.why)
    }

    /// What it finds cannot be told.
    fn blind(&self, name: &str, check: &'static str, error: &std::io::Error) -> Finding {
        let who = self.who();
        let what = format!("whether {who} finds {name} cannot be seen: {error}");
        self.finding(self.severity.min(Warn), check, what, || "sudo pfsnoop doctor".to_owned())
    }

    fn who(&self) -> String {
        match self.pid {
            Some(pid) => format!("{} (pid {pid})", self.name),
            None => self.name.to_owned(),
        }
    }

    /// Where nothing is wrong, there is nothing to mend.
    fn finding(
        &self,
        severity: Severity,
        check: &'static str,
        what: String,
        fix: impl FnOnce() -> String,
    ) -> Finding {
        let finding = Finding::new(severity, check, what, self.why);
        if severity >= Warn { finding.fix(fix()) } else { finding }
    }

    fn mend(&self, name: &str, root: &Root) -> String {
        if root.look_up(name, OsStr::new(USUAL_PATH)).is_some() {
            return self.wider_path();
        }
        let install = Packages::of(root).install(name);
        match self.pid {
            // The node's package manager does not reach a container's files.
            Some(pid) if root.is_foreign() => format!("nsenter -t {pid} -m {install}"),
            _ => install,
        }
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
        let lines = quoted(&format!("[Service]\nEnvironment=PATH={USUAL_PATH}\n"));
        format!(
            "mkdir -p {folder} && printf {lines} > {folder}/path.conf && systemctl daemon-reload \
             && systemctl restart {unit}"
        )
    }
}
