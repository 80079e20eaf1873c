//! What `localhost` means to socat.

use std::net::IpAddr;

use super::Finding;
use super::Severity::{Fail, Warn};
use crate::node::daemons::{Daemon, Road};
use crate::node::hosts;
use crate::node::program::Root;

const WHY: &str = "socat resolves localhost with the node's files, not the pod's";

/// What socat makes of it, in the files of whoever spawns it.
pub(super) fn localhost(daemons: &[Daemon]) -> Finding {
    let spawner = daemons.iter().find(|one| one.road == Road::Helpers);
    let root = spawner.map_or_else(Root::own, |daemon| Root::of_process(daemon.pid));
    let whose =
        spawner.map_or_else(String::new, |one| format!(" of {} (pid {})", one.name, one.pid));
    judge_localhost(&hosts::localhost(&root), &whose)
}

fn judge_localhost(addresses: &[IpAddr], whose: &str) -> Finding {
    let check = "target.localhost";
    let file = format!("in /etc/hosts{whose}");
    // For IPv4 the C library takes a line with ::1 for 127.0.0.1.
    let first = addresses.iter().find(|ip| ip.is_ipv4()).or(addresses.first());
    let (severity, what) = match first {
        Some(ip) if ip.is_loopback() => {
            return Finding::ok(check, format!("localhost is {ip} {file}"), WHY);
        }
        Some(ip) => (Fail, format!("localhost is {ip} {file}: socat dials that instead")),
        None => (Warn, format!("localhost is not {file}: socat asks whom nsswitch.conf names")),
    };
    Finding::new(severity, check, what, WHY).cure("sed -i '1i 127.0.0.1 localhost' /etc/hosts")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Severity;

    #[test]
    fn localhost_is_what_the_c_library_makes_of_it() {
        for (addresses, severity) in [
            (&["127.0.0.1", "::1"][..], Severity::Ok),
            (&["::1"], Severity::Ok),
            (&["::1", "10.0.0.1"], Fail),
            (&[], Warn),
        ] {
            let addresses: Vec<IpAddr> = addresses.iter().map(|ip| ip.parse().unwrap()).collect();
            assert_eq!(judge_localhost(&addresses, "").severity, severity, "{addresses:?}");
        }
    }
}
