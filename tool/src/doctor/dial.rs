//! A connection to one port, by each dialer.

use std::time::Instant;

use super::helpers::mend_own;
use super::shell::quoted;
use super::spawned::Spawned;
use crate::forward::{Dialer, Native, Nsenter, attempt};
use crate::model::Severity::{self, Fail, Note, Warn};
use crate::model::{Finding, ForwardingMode};
use crate::target::Target;

const WHY: &str = "this is the connection that a forward makes";

/// Connects as a forward does.
pub(super) struct Dialing<'a> {
    target: &'a Target,
    /// As it is called in a command.
    command: &'a str,
    mode: ForwardingMode,
    spawned: Spawned,
}

impl<'a> Dialing<'a> {
    pub(super) fn new(target: &'a Target, command: &'a str, mode: ForwardingMode) -> Self {
        Self { target, command, mode, spawned: Spawned::watch() }
    }

    /// By both; what ails the listener, if anything does, ails them too.
    pub(super) async fn connect(&mut self, port: u16, listening: Finding) -> [Finding; 3] {
        let Self { target, command, .. } = *self;
        // Somebody listens, and nobody answers: what is between is a firewall.
        let firewall = || format!("nsenter {} iptables-save", entrance(target));
        let fix = listening.fix.clone().unwrap_or_else(firewall);
        let native = self.natively(port, &fix).await;
        let fix = if listening.severity == Severity::Ok && native.severity == Severity::Ok {
            format!("pfsnoop forward {command} {port} --dialer native")
        } else {
            fix
        };
        let nsenter = self.by_nsenter(port, &fix).await;
        [listening, nsenter, native]
    }

    /// The kubelet's road.
    async fn by_nsenter(&mut self, port: u16, fix: &str) -> Finding {
        let check = "dial.nsenter";
        if self.target.pid().is_none() {
            let what = format!("nsenter+socat to {port} was not tried: no process is known");
            return Finding::new(Note, check, what, WHY);
        }
        // What their runtime does not use stands in nobody's way.
        let severity = if self.mode == ForwardingMode::Native { Warn } else { Fail };
        let nsenter = match Nsenter::look_up() {
            Ok(nsenter) => nsenter,
            Err(missing) => {
                let what = missing.to_string();
                return Finding::new(severity, check, what, WHY).fix(mend_own(missing.program));
            }
        };
        let start = Instant::now();
        let outcome = attempt(&nsenter, self.target, port).await;
        let took = start.elapsed();
        let record = self.spawned.last().await;
        let record = record
            .map_or_else(String::new, |record| format!("; the kernel saw: {}", record.in_words()));
        let via = nsenter.via().name();
        let finding = match outcome {
            Ok(_) => Finding::ok(check, format!("{via} connects to {port}{record}"), WHY),
            Err(failure) => {
                let failure = format!("{:#}", anyhow::Error::from(failure));
                let what = format!("{via} to {port} fails: {failure}{record}");
                Finding::new(severity, check, what, WHY).fix(fix)
            }
        };
        finding.took(took)
    }

    /// The road without helpers, to whatever address answers.
    async fn natively(&self, port: u16, fix: &str) -> Finding {
        let (start, check) = (Instant::now(), "dial.native");
        let finding = match attempt(&Native, self.target, port).await {
            Ok(address) => {
                let at = address.map_or_else(String::new, |address| format!(", at {address}"));
                Finding::ok(check, format!("native connects to {port}{at}"), WHY)
            }
            Err(failure) => {
                let failure = format!("{:#}", anyhow::Error::from(failure));
                Finding::new(Fail, check, format!("native to {port} fails: {failure}"), WHY)
                    .fix(fix)
            }
        };
        finding.took(start.elapsed())
    }
}

/// The options by which nsenter gets in.
pub(super) fn entrance(target: &Target) -> String {
    match target.pid() {
        Some(pid) => format!("-t {pid} -n"),
        None => quoted(&format!("--net={}", target.netns_file().display())),
    }
}
