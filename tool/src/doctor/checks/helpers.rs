//! Whether each process that forwards finds nsenter and socat.

use crate::doctor::facts::daemons::{Daemon, ProgramSearch};
use crate::doctor::facts::distribution::Packages;
use crate::doctor::facts::version::{Version, version};
use crate::doctor::helper_fix::{fix_for_daemon, fix_for_pfsnoop};
use crate::doctor::node::{CheckFuture, Node};
use crate::doctor::search_path::{own_search, shown};
use crate::host::root::Root;
use crate::model::Finding;
use crate::model::ForwardingMode;
use crate::model::Severity::{self, Fail, Note, Warn};

const WHY: &str = "without it a forward ends with \"unable to do port forwarding: ... not found\"";
const WHY_OWN: &str =
    "with both programs, `pfsnoop forward` dials with nsenter and socat; without, natively";
const WHY_NATIVE: &str = "it does not matter: the container runtime forwards natively";
const WHY_NO_FORWARD: &str = "it does not matter: for Docker, cri-dockerd or a kubelet before 1.24 forwards, with its own PATH";

/// A process that looks for the programs.
struct Searcher<'a> {
    name: &'a str,
    /// `None` for pfsnoop itself.
    pid: Option<u32>,
    /// The severity of a missing program.
    severity: Severity,
    why: &'static str,
}

/// Looks nsenter and socat up as each daemon does, and as pfsnoop does.
pub(super) fn check(node: &Node) -> CheckFuture<'_> {
    Box::pin(helpers(&node.daemons))
}

async fn helpers(daemons: &[Daemon]) -> Vec<Finding> {
    let mut findings = Vec::new();
    let own = own_search();
    let pfsnoop = Searcher { name: "pfsnoop", pid: None, severity: Warn, why: WHY_OWN };
    let daemons = daemons.iter().map(|daemon| (Searcher::of(daemon), &daemon.search));
    for (searcher, search) in daemons.chain([(pfsnoop, &own)]) {
        for (program, check) in [("socat", "helper.socat"), ("nsenter", "helper.nsenter")] {
            findings.push(match search {
                Ok(search) => searcher.look_up(program, check, search).await,
                Err(error) => searcher.unreadable(program, check, error),
            });
        }
    }
    findings
}

impl<'a> Searcher<'a> {
    fn of(daemon: &'a Daemon) -> Self {
        let (severity, why) = match daemon.mode {
            ForwardingMode::Helpers => (Fail, WHY),
            ForwardingMode::Native => (Note, WHY_NATIVE),
            ForwardingMode::None => (Note, WHY_NO_FORWARD),
        };
        Self { name: &daemon.name, pid: Some(daemon.pid), severity, why }
    }

    async fn look_up(&self, program: &str, check: &'static str, search: &ProgramSearch) -> Finding {
        let (searcher, ProgramSearch { path, root }) = (self.describe(), search);
        let Some(file) = path.as_deref().and_then(|path| root.look_up(program, path)) else {
            let path = shown(path.as_deref());
            let what = format!("{searcher} does not find {program} in its PATH: {path}");
            return self.finding(check, what, || self.fix(program, root));
        };
        let shown_file = file.display();
        // A program among other files than the node's, as in a container, is not run as root.
        let version = if root.is_ours() { version(&file).await } else { Version::Unknown };
        let version = match version {
            Version::Known(version) => format!(" ({version})"),
            Version::Unknown => String::new(),
            Version::Broken(error) => {
                let what = format!("{searcher} finds {shown_file}, which does not run: {error}");
                return self.finding(check, what, || Packages::of(root).reinstall(program));
            }
        };
        Finding::ok(check, format!("{searcher} finds {shown_file}{version}"), self.why)
    }

    /// The finding when the daemon's environment or files cannot be read.
    fn unreadable(&self, program: &str, check: &'static str, error: &std::io::Error) -> Finding {
        let searcher = self.describe();
        let what = format!("cannot check whether {searcher} finds {program}: {error}");
        let capped = Searcher { severity: self.severity.min(Warn), ..*self };
        capped.finding(check, what, || "sudo pfsnoop doctor".to_owned())
    }

    fn describe(&self) -> String {
        match self.pid {
            Some(pid) => format!("{} (pid {pid})", self.name),
            None => self.name.to_owned(),
        }
    }

    /// A finding of this searcher's severity. A note needs no fix.
    fn finding(&self, check: &'static str, what: String, fix: impl FnOnce() -> String) -> Finding {
        let finding = Finding::new(self.severity, check, what, self.why);
        if self.severity >= Warn { finding.fix(fix()) } else { finding }
    }

    fn fix(&self, program: &str, root: &Root) -> String {
        match self.pid {
            Some(pid) => fix_for_daemon(program, self.name, pid, root),
            None => fix_for_pfsnoop(program),
        }
    }
}
