//! Whether each process that forwards finds nsenter and socat.

use rustix::process::geteuid;

use crate::doctor::facts::daemons::Daemon;
use crate::doctor::facts::programs::{PROGRAMS, ProgramSearch};
use crate::doctor::facts::running::Daemons;
use crate::doctor::facts::version::{Version, version};
use crate::doctor::grouped::{OfProcess, grouped};
use crate::doctor::helper_fix::{
    describe, export_path, extend_path_of, fix_for_daemon, fix_for_pfsnoop,
};
use crate::doctor::node::{CheckFuture, Node};
use crate::doctor::search_path::{own_search, shown};
use crate::host::trusted::{Untrusted, check_trusted};
use crate::model::Finding;
use crate::model::ForwardingMode;
use crate::model::Severity::{self, Fail, Note, Warn};

const WHY: &str = "without it a forward ends with \"unable to do port forwarding: ... not found\"";
const WHY_OWN: &str =
    "with both programs, `pfsnoop forward` dials with nsenter and socat; without, natively";
const WHY_NATIVE: &str = "it does not matter: the container runtime forwards natively";
const WHY_NO_FORWARD: &str = "it does not matter: for Docker, cri-dockerd or a kubelet before 1.24 forwards, with its own PATH";
const WHY_UNTRUSTED: &str = "whoever can replace the program runs it as root";
const WHY_MANY: &str =
    "a node has one or two daemons of a name; any process of root can take the name";

/// A process that looks for the programs.
struct Searcher<'a> {
    /// `None` for pfsnoop itself.
    daemon: Option<&'a Daemon>,
    /// The severity of a missing program.
    severity: Severity,
    why: &'static str,
}

/// Looks nsenter and socat up as each daemon does, and as pfsnoop does.
pub(super) fn check(node: &Node) -> CheckFuture<'_> {
    Box::pin(helpers(&node.daemons))
}

async fn helpers(Daemons { daemons, not_looked_at }: &Daemons) -> Vec<Finding> {
    let own = own_search().map_err(|error| error.to_string());
    let pfsnoop = Searcher { daemon: None, severity: Warn, why: WHY_OWN };
    let daemons = daemons.iter().map(|daemon| (Searcher::of(daemon), &daemon.search));
    let mut findings = Vec::new();
    for (searcher, search) in daemons.chain([(pfsnoop, &own)]) {
        for (program, check) in PROGRAMS.into_iter().zip(["helper.socat", "helper.nsenter"]) {
            findings.push(match search {
                Ok(search) => searcher.look_up(program, check, search).await,
                Err(error) => searcher.unreadable(program, check, error),
            });
        }
    }
    let mut findings = grouped(findings);
    let mut more: Vec<(&String, &usize)> = not_looked_at.iter().collect();
    more.sort();
    findings.extend(more.into_iter().map(|(name, count)| {
        let what = format!("{count} more processes named {name} were not looked at");
        Finding::new(Note, "helper.socat", what, WHY_MANY)
    }));
    findings
}

impl<'a> Searcher<'a> {
    fn of(daemon: &'a Daemon) -> Self {
        let (severity, why) = match daemon.mode {
            // What a container says counts for that container alone.
            ForwardingMode::Helpers if describe(&daemon.place).is_some() => (Warn, WHY),
            ForwardingMode::Helpers => (Fail, WHY),
            ForwardingMode::Native => (Note, WHY_NATIVE),
            ForwardingMode::None => (Note, WHY_NO_FORWARD),
        };
        Self { daemon: Some(daemon), severity, why }
    }

    async fn look_up(
        &self,
        program: &str,
        check: &'static str,
        search: &ProgramSearch,
    ) -> OfProcess {
        let searcher = self.describe();
        let Some(file) = &search.found(program).file else {
            let path = shown(search.path.as_deref());
            let what = format!("{searcher} does not find {program} in its PATH: {path}");
            return self.finding(check, "missing", what, || self.fix(program, search));
        };
        let shown_file = file.display();
        // A program among other files than the node's, as in a container, is not run as root.
        let is_of_node = self.daemon.is_none_or(|daemon| daemon.place.is_of_node());
        let version = if is_of_node && search.has_our_files {
            if let Err(untrusted) = check_trusted(file) {
                return self.untrusted(program, check, &untrusted);
            }
            version(file).await
        } else {
            Version::Unknown
        };
        let version = match version {
            Version::Known(version) => format!(" ({version})"),
            Version::Unknown => String::new(),
            Version::Broken(error) => {
                let what = format!("{searcher} finds {shown_file}, which does not run: {error}");
                return self.finding(check, "broken", what, || search.packages.reinstall(program));
            }
        };
        let finding =
            Finding::ok(check, format!("{searcher} finds {shown_file}{version}"), self.why);
        self.of_process(finding, "ok")
    }

    /// The finding when the program that comes first is one that other users can replace.
    fn untrusted(&self, program: &str, check: &'static str, untrusted: &Untrusted) -> OfProcess {
        let what = format!("{} finds a {program} that is not root's: {untrusted}", self.describe());
        let fix = match self.daemon {
            Some(daemon) => extend_path_of(&daemon.name),
            None => export_path(),
        };
        self.of_process(Finding::new(Warn, check, what, WHY_UNTRUSTED).fix(fix), "untrusted")
    }

    /// The finding when the daemon's environment or files cannot be read.
    fn unreadable(&self, program: &str, check: &'static str, error: &str) -> OfProcess {
        let searcher = self.describe();
        let what = format!("cannot check whether {searcher} finds {program}: {error}");
        let capped = Searcher { severity: self.severity.min(Warn), ..*self };
        let fix = || {
            if geteuid().is_root() {
                return format!("# find out why the files of {searcher} cannot be read");
            }
            "sudo pfsnoop doctor".to_owned()
        };
        capped.finding(check, "unreadable", what, fix)
    }

    /// `kubelet (pid 812)`, `kubelet (pid 812, in container 0123456789ab (docker))`
    fn describe(&self) -> String {
        let Some(Daemon { pid, name, place, .. }) = self.daemon else {
            return "pfsnoop".to_owned();
        };
        match describe(place) {
            Some(place) => format!("{name} (pid {pid}) in {place}"),
            None => format!("{name} (pid {pid})"),
        }
    }

    /// A finding of this searcher's severity. A note needs no fix.
    fn finding(
        &self,
        check: &'static str,
        cause: &'static str,
        what: String,
        fix: impl FnOnce() -> String,
    ) -> OfProcess {
        let finding = Finding::new(self.severity, check, what, self.why);
        let finding = if self.severity >= Warn { finding.fix(fix()) } else { finding };
        self.of_process(finding, cause)
    }

    fn of_process(&self, finding: Finding, cause: &'static str) -> OfProcess {
        let name = self.daemon.map_or("pfsnoop", |daemon| &daemon.name).to_owned();
        let place = self.daemon.map_or("", |daemon| daemon.place.kind());
        OfProcess { finding, name, cause: [cause, place] }
    }

    fn fix(&self, program: &str, search: &ProgramSearch) -> String {
        match self.daemon {
            Some(daemon) => fix_for_daemon(program, daemon, search),
            None => fix_for_pfsnoop(program),
        }
    }
}
