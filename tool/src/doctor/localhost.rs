//! The address to which socat resolves `localhost`.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::facts::daemons::{Daemon, spawner};
use super::facts::hosts::{self, Hosts, MAX_READ};
use super::facts::place::Place;
use super::helper_fix::on_node;
use crate::host::root::Root;
use crate::model::Severity::{Fail, Note, Warn};
use crate::model::{Finding, ForwardingMode};

const WHY: &str = "socat resolves localhost with the node's files, not the pod's";

const WHY_NATIVE: &str =
    "a runtime that forwards natively resolves localhost with the node's files, not the pod's";

const WHY_CUT: &str = "the file is too large to judge: localhost may be further down";

/// The program that dials `localhost`.
struct Dialer {
    name: &'static str,
    why: &'static str,
}

/// Checks `/etc/hosts` among the files of the daemon that spawns socat: socat inherits the daemon's
/// mount namespace. A runtime that forwards natively sees the files of the node.
pub(super) fn localhost(daemons: &[Daemon], mode: ForwardingMode) -> Finding {
    if mode == ForwardingMode::Native {
        let runtime = Dialer { name: "the container runtime", why: WHY_NATIVE };
        return finding(&own_hosts(), &runtime, "", str::to_owned);
    }
    let socat = Dialer { name: "socat", why: WHY };
    let readable =
        spawner(daemons).and_then(|daemon| Some((daemon, &daemon.search.as_ref().ok()?.hosts)));
    // Without such a daemon, or without access to its files, use the files of pfsnoop: they are
    // most likely the same.
    let Some((Daemon { pid, name, place, .. }, hosts)) = readable else {
        return finding(&own_hosts(), &socat, "", str::to_owned);
    };
    let run = if *place == Place::NodeOutside { on_node } else { str::to_owned };
    finding(hosts, &socat, &format!(" of {name} (pid {pid})"), run)
}

fn own_hosts() -> Hosts {
    Root::own().map(|root| hosts::localhost(&root)).unwrap_or_default()
}

/// The finding for the addresses of `localhost` in a file. `owner` names the daemon that sees the
/// file. `run` makes the command that runs another one where the file is.
fn finding(hosts: &Hosts, dialer: &Dialer, owner: &str, run: fn(&str) -> String) -> Finding {
    let Hosts { addresses, is_cut } = hosts;
    let Dialer { name, why } = *dialer;
    let check = "target.localhost";
    let file = format!("in /etc/hosts{owner}");
    // For IPv4, the C library takes a line with ::1 for 127.0.0.1.
    let first = addresses.iter().find(|ip| ip.is_ipv4()).or(addresses.first());
    let insert_line = run("sed -i '1i 127.0.0.1 localhost' /etc/hosts");
    let (severity, what, fix) = match first {
        Some(ip) if *ip == Ipv4Addr::LOCALHOST || *ip == Ipv6Addr::LOCALHOST => {
            return Finding::ok(check, format!("localhost is {ip} {file}"), why);
        }
        Some(ip) if ip.is_loopback() => {
            let what = format!("localhost is {ip} {file}: a server on 127.0.0.1 cannot be reached");
            (Warn, what, insert_line)
        }
        Some(ip) => {
            (Fail, format!("localhost is {ip} {file}: {name} dials that instead"), insert_line)
        }
        None if *is_cut => {
            let what = format!("the first {MAX_READ} bytes {file} do not have localhost");
            return Finding::new(Note, check, what, WHY_CUT);
        }
        None => {
            let what =
                format!("localhost is not {file}: {name} asks the other sources of nsswitch.conf");
            // The file may be empty or missing, so there is no first line to insert before.
            (Warn, what, run("echo 127.0.0.1 localhost | tee -a /etc/hosts"))
        }
    };
    Finding::new(severity, check, what, why).fix(fix)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Severity;

    const SOCAT: Dialer = Dialer { name: "socat", why: WHY };

    fn hosts(addresses: &[&str]) -> Hosts {
        let addresses = addresses.iter().map(|ip| ip.parse().unwrap()).collect();
        Hosts { addresses, is_cut: false }
    }

    #[test]
    fn a_runtime_that_dials_itself_is_named() {
        let runtime = Dialer { name: "the container runtime", why: WHY_NATIVE };
        let finding = finding(&hosts(&["10.0.0.1"]), &runtime, "", str::to_owned);
        let what = "localhost is 10.0.0.1 in /etc/hosts: the container runtime dials that instead";
        assert_eq!((finding.severity, &*finding.what), (Fail, what));
    }

    #[test]
    fn localhost_is_resolved_as_the_c_library_does() {
        for (addresses, severity) in [
            (&["127.0.0.1", "::1"][..], Severity::Ok),
            (&["::1"], Severity::Ok),
            (&["::1", "10.0.0.1"], Fail),
            (&["127.0.1.1"], Warn),
            (&[], Warn),
        ] {
            let finding = finding(&hosts(addresses), &SOCAT, "", str::to_owned);
            assert_eq!(finding.severity, severity, "{addresses:?}");
        }
    }

    #[test]
    fn a_file_that_was_cut_is_judged_only_by_what_was_found() {
        let cut = |addresses| Hosts { is_cut: true, ..hosts(addresses) };
        let none = finding(&cut(&[]), &SOCAT, "", str::to_owned);
        assert_eq!((none.severity, none.why, none.fix), (Note, WHY_CUT, None));
        let first = finding(&cut(&["10.0.0.1"]), &SOCAT, "", str::to_owned);
        assert_eq!(first.severity, Fail);
    }

    #[test]
    fn the_fix_edits_the_file_that_the_daemon_sees() {
        for (addresses, fix) in [
            (
                &["10.0.0.1"][..],
                r"nsenter -t 1 -m sh -c 'sed -i '\''1i 127.0.0.1 localhost'\'' /etc/hosts'",
            ),
            (&[], "nsenter -t 1 -m sh -c 'echo 127.0.0.1 localhost | tee -a /etc/hosts'"),
        ] {
            let finding = finding(&hosts(addresses), &SOCAT, " of kubelet (pid 7)", on_node);
            assert_eq!(finding.fix.unwrap(), fix);
        }
    }
}
