//! What `localhost` means to socat.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::facts::daemons::Daemon;
use super::facts::hosts;
use crate::host::root::Root;
use crate::model::Finding;
use crate::model::ForwardingMode;
use crate::model::Severity::{Fail, Warn};

const WHY: &str = "socat resolves localhost with the node's files, not the pod's";

/// What socat makes of it, in the files of whoever spawns it.
pub(super) fn localhost(daemons: &[Daemon]) -> Finding {
    let spawner = daemons.iter().find(|one| one.mode == ForwardingMode::Helpers);
    // Where its files may not be looked at, ours are most likely the same.
    let seen = spawner.and_then(|daemon| Some((daemon, &daemon.search.as_ref().ok()?.root)));
    let Some((Daemon { pid, name, .. }, root)) = seen else {
        let own = Root::own().map_or_else(|_| Vec::new(), |root| hosts::localhost(&root));
        return judge(&own, "", "");
    };
    let enter = if root.is_foreign() { format!("nsenter -t {pid} -m ") } else { String::new() };
    judge(&hosts::localhost(root), &format!(" of {name} (pid {pid})"), &enter)
}

/// The addresses in somebody's file; `enter` leads a command there.
fn judge(addresses: &[IpAddr], whose: &str, enter: &str) -> Finding {
    let check = "target.localhost";
    let file = format!("in /etc/hosts{whose}");
    // For IPv4 the C library takes a line with ::1 for 127.0.0.1.
    let first = addresses.iter().find(|ip| ip.is_ipv4()).or(addresses.first());
    let first_line = format!("{enter}sed -i '1i 127.0.0.1 localhost' /etc/hosts");
    let (severity, what, fix) = match first {
        Some(ip) if *ip == Ipv4Addr::LOCALHOST || *ip == Ipv6Addr::LOCALHOST => {
            return Finding::ok(check, format!("localhost is {ip} {file}"), WHY);
        }
        Some(ip) if ip.is_loopback() => {
            let what = format!("localhost is {ip} {file}: who listens on 127.0.0.1 is not reached");
            (Warn, what, first_line)
        }
        Some(ip) => {
            (Fail, format!("localhost is {ip} {file}: socat dials that instead"), first_line)
        }
        None => {
            let what = format!("localhost is not {file}: socat asks whom nsswitch.conf names");
            // There may be no first line, nor a file.
            (Warn, what, format!("echo 127.0.0.1 localhost | {enter}tee -a /etc/hosts"))
        }
    };
    Finding::new(severity, check, what, WHY).fix(fix)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Severity;

    #[test]
    fn localhost_is_what_the_c_library_makes_of_it() {
        for (addresses, severity) in [
            (&["127.0.0.1", "::1"][..], Severity::Ok),
            (&["::1"], Severity::Ok),
            (&["::1", "10.0.0.1"], Fail),
            (&["127.0.1.1"], Warn),
            (&[], Warn),
        ] {
            let addresses: Vec<IpAddr> = addresses.iter().map(|ip| ip.parse().unwrap()).collect();
            assert_eq!(judge(&addresses, "", "").severity, severity, "{addresses:?}");
        }
    }

    #[test]
    fn the_fix_goes_where_the_files_are() {
        let elsewhere = ["10.0.0.1".parse().unwrap()];
        for (addresses, fix) in [
            (&elsewhere[..], "nsenter -t 7 -m sed -i '1i 127.0.0.1 localhost' /etc/hosts"),
            (&[], "echo 127.0.0.1 localhost | nsenter -t 7 -m tee -a /etc/hosts"),
        ] {
            let finding = judge(addresses, " of kubelet (pid 7)", "nsenter -t 7 -m ");
            assert_eq!(finding.fix.unwrap(), fix);
        }
    }
}
