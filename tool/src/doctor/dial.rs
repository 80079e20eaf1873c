//! A connection to one port with each dialer.

use std::net::{IpAddr, Ipv6Addr};

use super::as_daemon::{WHY, ipv6_localhost, missing_program};
use super::facts::daemons::{Daemon, spawner};
use super::helper_fix::{export_path, fix_for_pfsnoop};
use super::helper_monitor::HelperMonitor;
use super::shell::nsenter_options;
use crate::forward::{Dialer, HelperError, Native, Nsenter, test_connection};
use crate::model::Severity::{self, Fail, Note, Warn};
use crate::model::{Finding, ForwardingMode};
use crate::target::Target;

const WHY_UNTRUSTED: &str = "whoever can replace the program runs it as root";

/// How to connect.
pub(super) struct Dialing<'a> {
    /// The daemons that may forward.
    pub(super) daemons: &'a [Daemon],
    /// nsenter and socat may be programs that other users can replace.
    pub(super) trust_path: bool,
}

/// Connects to ports of a target as a forward does.
pub(super) struct DialCheck<'a> {
    target: &'a Target,
    /// The arguments that name the target in a command.
    target_args: &'a str,
    mode: ForwardingMode,
    /// The daemon that starts nsenter and socat for this target, if one is known.
    spawner: Option<&'a Daemon>,
    trust_path: bool,
    helpers: HelperMonitor,
}

impl<'a> DialCheck<'a> {
    pub(super) fn new(
        target: &'a Target,
        target_args: &'a str,
        mode: ForwardingMode,
        &Dialing { daemons, trust_path }: &Dialing<'a>,
    ) -> Self {
        let spawner = spawner(daemons).filter(|_| mode == ForwardingMode::Helpers);
        let helpers = HelperMonitor::start();
        Self { target, target_args, mode, spawner, trust_path, helpers }
    }

    /// Connects with both dialers. `listening` is the finding about the port's listener: its fix
    /// also fixes the connections.
    pub(super) async fn connect(&mut self, port: u16, listening: Finding) -> [Finding; 3] {
        let Self { target, target_args, .. } = *self;
        // When a process listens and the connection fails all the same, a firewall is the likely
        // cause.
        let show_firewall = || format!("nsenter {} iptables-save", nsenter_options(target));
        let fix = listening.fix.clone().unwrap_or_else(show_firewall);
        let (native, is_connected) = self.dial_native(port, &fix).await;
        let fix = if listening.severity == Severity::Ok && is_connected {
            format!("pfsnoop forward {target_args} {port} --dialer native")
        } else {
            fix
        };
        let nsenter = self.dial_nsenter(port, &fix).await;
        [listening, nsenter, native]
    }

    /// Connects with nsenter and socat, as kubelets with Docker do.
    async fn dial_nsenter(&mut self, port: u16, fix: &str) -> Finding {
        let check = "dial.nsenter";
        if self.target.pid().is_none() {
            let what =
                format!("nsenter+socat to {port} was not tried: no process of the target is known");
            return Finding::new(Note, check, what, WHY);
        }
        if let Some(finding) = self.spawner.and_then(missing_program) {
            return finding;
        }
        // A runtime that forwards natively does not need this connection.
        let severity = if self.mode == ForwardingMode::Native { Warn } else { Fail };
        let look_up: fn() -> Result<Nsenter, HelperError> =
            if self.trust_path { Nsenter::look_up_anywhere } else { Nsenter::look_up };
        let nsenter = match look_up() {
            Ok(nsenter) => nsenter,
            Err(HelperError::Untrusted(untrusted)) => {
                let what = format!("pfsnoop does not try it: {untrusted}");
                return Finding::new(severity, check, what, WHY_UNTRUSTED).fix(export_path());
            }
            Err(HelperError::Missing(missing)) => {
                // The daemon that forwards finds both programs.
                let severity = if self.spawner.is_some() { Warn } else { severity };
                let what = format!("pfsnoop cannot try it: {missing}");
                let fix = fix_for_pfsnoop(missing.program);
                return Finding::new(severity, check, what, WHY).fix(fix);
            }
        };
        let (result, took) = test_connection(&nsenter, self.target, port).await;
        let record = self.helpers.last_helper().await;
        let record = record
            .map_or_else(String::new, |record| format!("; the kernel saw: {}", record.describe()));
        let via = nsenter.via(self.target).name();
        let finding = match result {
            Ok(_) => Finding::ok(check, format!("{via} connects to {port}{record}"), WHY),
            Err(failure) => {
                let failure = format!("{:#}", anyhow::Error::from(failure));
                let what = format!("{via} to {port} fails: {failure}{record}");
                Finding::new(severity, check, what, WHY).fix(fix)
            }
        };
        finding.took(took)
    }

    /// Connects without helpers, to the first address of the target that answers. Also returns
    /// whether one did.
    async fn dial_native(&self, port: u16, fix: &str) -> (Finding, bool) {
        let check = "dial.native";
        let (result, took) = test_connection(&Native::default(), self.target, port).await;
        let is_connected = result.is_ok();
        let finding = match result {
            Ok(address) => {
                let at = address.map_or_else(String::new, |address| format!(", at {address}"));
                let what = format!("native connects to {port}{at}");
                match address {
                    Some(IpAddr::V6(Ipv6Addr::LOCALHOST)) => ipv6_localhost(what, self.mode),
                    _ => Finding::ok(check, what, WHY),
                }
            }
            Err(failure) => {
                let failure = format!("{:#}", anyhow::Error::from(failure));
                Finding::new(Fail, check, format!("native to {port} fails: {failure}"), WHY)
                    .fix(fix)
            }
        };
        (finding.took(took), is_connected)
    }
}
