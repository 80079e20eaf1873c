//! Whether something listens on a port inside the target, and whether `localhost` reaches the
//! listener.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use super::open_ports::{list, nothing_listens};
use crate::model::Finding;
use crate::model::ForwardingMode;
use crate::model::Severity::{Fail, Warn};

pub(super) const CHECK: &str = "target.listens";
const WHY: &str = "a port-forward dials localhost inside the pod, as a process in it would";

/// Checks one port. A fix names the target by `target_args`, and enters it by `nsenter_options`.
pub(super) fn listening(
    listeners: &[SocketAddr],
    port: u16,
    mode: ForwardingMode,
    target_args: &str,
    nsenter_options: &str,
) -> Finding {
    let on_port = listeners.iter().filter(|listener| listener.port() == port);
    let ips: Vec<IpAddr> = on_port.map(SocketAddr::ip).collect();
    if ips.is_empty() {
        let (what, fix) = nothing_listens(listeners, port, target_args);
        return Finding::new(Fail, CHECK, what, WHY).fix(fix);
    }
    let addresses = list(ips.iter().map(|&ip| bracketed(ip)));
    if ips.iter().any(|&ip| accepts_ipv4_localhost(ip)) {
        return Finding::ok(CHECK, format!("{port} listens on {addresses}"), WHY);
    }
    let dial_native = || format!("pfsnoop forward {target_args} {port} --dialer native");
    if ips.contains(&IpAddr::V6(Ipv6Addr::LOCALHOST)) {
        // Runtimes that forward natively try IPv4 first, then IPv6.
        let severity = if mode == ForwardingMode::Native { Warn } else { Fail };
        let what = format!("{port} listens on {addresses} only; `TCP4:localhost` cannot reach it");
        return Finding::new(severity, CHECK, what, WHY).fix(dial_native());
    }
    let what = format!(
        "{port} listens on {addresses} only; kubectl port-forward dials localhost and will be \
         refused"
    );
    // The native dialer does not try loopback addresses other than localhost. A second listener, on
    // localhost, helps every forwarder.
    let relay_from_localhost = |ip| {
        format!(
            "nsenter {nsenter_options} socat TCP4-LISTEN:{port},bind=127.0.0.1,fork,reuseaddr \
             TCP4:{ip}:{port}"
        )
    };
    let all_loopback = ips.iter().all(IpAddr::is_loopback);
    let fix = if all_loopback { relay_from_localhost(ips[0]) } else { dial_native() };
    Finding::new(Fail, CHECK, what, WHY).fix(fix)
}

/// Whether a connection to 127.0.0.1 reaches a listener on this address. A socket on `::` accepts
/// IPv4 too, unless it has `IPV6_V6ONLY` (ipv6(7)); in that case the connection shows it.
fn accepts_ipv4_localhost(ip: IpAddr) -> bool {
    ip.is_unspecified() || ip == IpAddr::V4(Ipv4Addr::LOCALHOST)
}

fn bracketed(ip: IpAddr) -> String {
    if ip.is_ipv6() { format!("[{ip}]") } else { ip.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Severity;

    fn check(listeners: &[&str], mode: ForwardingMode) -> (Severity, String) {
        let listeners: Vec<SocketAddr> = listeners.iter().map(|at| at.parse().unwrap()).collect();
        let finding = listening(&listeners, 8080, mode, "kuard", "-t 1 -n");
        (finding.severity, finding.what)
    }

    #[test]
    fn only_a_listener_that_localhost_reaches_is_ok() {
        for (listeners, severity, what) in [
            (&["127.0.0.1:8080"][..], Severity::Ok, "8080 listens on 127.0.0.1"),
            (&["[::]:8080"], Severity::Ok, "8080 listens on [::]"),
            (&["0.0.0.0:8080", "[::1]:8080"], Severity::Ok, "8080 listens on 0.0.0.0 and [::1]"),
            (
                &["10.88.0.5:8080"],
                Fail,
                "8080 listens on 10.88.0.5 only; kubectl port-forward dials localhost and will be \
                 refused",
            ),
            (
                &["127.0.0.2:8080"],
                Fail,
                "8080 listens on 127.0.0.2 only; kubectl port-forward dials localhost and will be \
                 refused",
            ),
            (&["[::1]:8080"], Fail, "8080 listens on [::1] only; `TCP4:localhost` cannot reach it"),
            (&[], Fail, "nothing listens on 8080, nor on any other port"),
            (&["[::]:80"], Fail, "nothing listens on 8080; 80 does"),
            (&["[::]:80", "0.0.0.0:9090"], Fail, "nothing listens on 8080; 80 and 9090 do"),
        ] {
            assert_eq!(check(listeners, ForwardingMode::Helpers), (severity, what.to_owned()));
        }
        assert_eq!(check(&["[::1]:8080"], ForwardingMode::Native).0, Warn);
    }
}
