//! The address to which socat resolves `localhost`.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::facts::daemons::{Daemon, spawner};
use super::facts::hosts;
use crate::host::root::Root;
use crate::model::Severity::{Fail, Warn};
use crate::model::{Finding, ForwardingMode};

const WHY: &str = "socat resolves localhost with the node's files, not the pod's";

const WHY_NATIVE: &str =
    "a runtime that forwards natively resolves localhost with the node's files, not the pod's";

/// The program that dials `localhost`.
struct Dialer {
    name: &'static str,
    why: &'static str,
}

/// Checks `/etc/hosts` among the files of the daemon that spawns socat: socat inherits the daemon's
/// mount namespace. A runtime that forwards natively sees the files of the node.
pub(super) fn localhost(daemons: &[Daemon], mode: ForwardingMode) -> Finding {
    if mode == ForwardingMode::Native {
        let own = Root::own().map_or_else(|_| Vec::new(), |root| hosts::localhost(&root));
        return finding(&own, &Dialer { name: "the container runtime", why: WHY_NATIVE }, "", "");
    }
    let socat = Dialer { name: "socat", why: WHY };
    let readable =
        spawner(daemons).and_then(|daemon| Some((daemon, &daemon.search.as_ref().ok()?.root)));
    // Without such a daemon, or without access to its files, use the files of pfsnoop: they are
    // most likely the same.
    let Some((Daemon { pid, name, .. }, root)) = readable else {
        let own = Root::own().map_or_else(|_| Vec::new(), |root| hosts::localhost(&root));
        return finding(&own, &socat, "", "");
    };
    let enter = if root.is_foreign() { format!("nsenter -t {pid} -m ") } else { String::new() };
    finding(&hosts::localhost(root), &socat, &format!(" of {name} (pid {pid})"), &enter)
}

/// The finding for the addresses of `localhost` in a file. `owner` names the daemon that sees the
/// file. The prefix `enter` runs a command in the daemon's mount namespace.
fn finding(addresses: &[IpAddr], dialer: &Dialer, owner: &str, enter: &str) -> Finding {
    let Dialer { name, why } = *dialer;
    let check = "target.localhost";
    let file = format!("in /etc/hosts{owner}");
    // For IPv4, the C library takes a line with ::1 for 127.0.0.1.
    let first = addresses.iter().find(|ip| ip.is_ipv4()).or(addresses.first());
    let insert_line = format!("{enter}sed -i '1i 127.0.0.1 localhost' /etc/hosts");
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
        None => {
            let what =
                format!("localhost is not {file}: {name} asks the other sources of nsswitch.conf");
            // The file may be empty or missing, so there is no first line to insert before.
            (Warn, what, format!("echo 127.0.0.1 localhost | {enter}tee -a /etc/hosts"))
        }
    };
    Finding::new(severity, check, what, why).fix(fix)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Severity;

    const SOCAT: Dialer = Dialer { name: "socat", why: WHY };

    #[test]
    fn a_runtime_that_dials_itself_is_named() {
        let elsewhere = ["10.0.0.1".parse().unwrap()];
        let runtime = Dialer { name: "the container runtime", why: WHY_NATIVE };
        let finding = finding(&elsewhere, &runtime, "", "");
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
            let addresses: Vec<IpAddr> = addresses.iter().map(|ip| ip.parse().unwrap()).collect();
            assert_eq!(finding(&addresses, &SOCAT, "", "").severity, severity, "{addresses:?}");
        }
    }

    #[test]
    fn the_fix_edits_the_file_that_the_daemon_sees() {
        let elsewhere = ["10.0.0.1".parse().unwrap()];
        for (addresses, fix) in [
            (&elsewhere[..], "nsenter -t 7 -m sed -i '1i 127.0.0.1 localhost' /etc/hosts"),
            (&[], "echo 127.0.0.1 localhost | nsenter -t 7 -m tee -a /etc/hosts"),
        ] {
            let finding = finding(addresses, &SOCAT, " of kubelet (pid 7)", "nsenter -t 7 -m ");
            assert_eq!(finding.fix.unwrap(), fix);
        }
    }
}
