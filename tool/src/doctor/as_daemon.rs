//! What the daemon or the runtime that forwards would do, where it differs from pfsnoop's own test
//! connection.

use std::net::{IpAddr, Ipv6Addr};

use super::facts::daemons::Daemon;
use super::facts::hosts;
use super::facts::programs::PROGRAMS;
use super::helper_fix::fix_for_daemon;
use super::search_path::shown;
use crate::host::root::Root;
use crate::model::Severity::{Fail, Warn};
use crate::model::{Finding, ForwardingMode};

pub(super) const WHY: &str = "this is the connection that a forward makes";

/// If the daemon lacks a program, without which it does not even try to connect. Nothing that the
/// daemon finds is run.
pub(super) fn missing_program(daemon: &Daemon) -> Option<Finding> {
    let search = daemon.search.as_ref().ok()?;
    let path = search.path.as_deref();
    // In the order of the kubelet.
    let missing = PROGRAMS.into_iter().find(|program| search.found(program).file.is_none())?;
    let Daemon { pid, name, .. } = daemon;
    let what = format!(
        "{name} (pid {pid}) forwards to this target, and does not find {missing} in its PATH: {}",
        shown(path)
    );
    let fix = fix_for_daemon(missing, daemon, search);
    Some(Finding::new(Fail, "dial.nsenter", what, WHY).fix(fix))
}

/// After pfsnoop has connected to `::1`, which it always tries: containerd and CRI-O try the IPv6
/// address of `localhost`, which they look up in the node's `/etc/hosts`.
pub(super) fn ipv6_localhost(what: String, mode: ForwardingMode) -> Finding {
    let check = "dial.native";
    let hosts = Root::own().map(|root| hosts::localhost(&root)).unwrap_or_default();
    // In the part that was not read, there may be another address.
    if hosts.is_cut || hosts.addresses.contains(&IpAddr::V6(Ipv6Addr::LOCALHOST)) {
        return Finding::ok(check, what, WHY);
    }
    let severity = if mode == ForwardingMode::Native { Fail } else { Warn };
    let what = format!(
        "{what}; containerd and CRI-O do not: localhost is not ::1 in /etc/hosts of the node"
    );
    Finding::new(severity, check, what, WHY).fix("echo ::1 localhost | tee -a /etc/hosts")
}
