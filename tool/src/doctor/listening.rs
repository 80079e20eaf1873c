//! Whether something listens on a port inside the target, and whether `localhost` reaches the
//! listener.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use super::open_ports::{list, nothing_listens};
use crate::model::Finding;
use crate::model::ForwardingMode;
use crate::model::Severity::{Fail, Warn};

pub(super) const CHECK: &str = "target.listens";
const WHY: &str = "a port-forward dials localhost inside the pod, as a process in it would";

/// What the finding about a port needs to know of its target.
pub(super) struct ListeningTarget<'a> {
    /// Where processes listen inside the target.
    pub(super) listeners: &'a [SocketAddr],
    /// The addresses, beyond localhost, that the native dialer tries.
    pub(super) own_addresses: &'a [IpAddr],
    /// How a kubelet forwards to the target.
    pub(super) mode: ForwardingMode,
    /// The arguments that name the target in a fix.
    pub(super) target_args: &'a str,
    /// The options of nsenter that enter the target in a fix.
    pub(super) nsenter_options: &'a str,
}

/// Checks one port.
pub(super) fn listening(target: &ListeningTarget<'_>, port: u16) -> Finding {
    let ListeningTarget { listeners, own_addresses, mode, target_args, nsenter_options } = *target;
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
    // The native dialer tries localhost and the target's own addresses. For any other address, such
    // as 127.0.0.2, or an address of the node, a second listener on localhost helps every
    // forwarder.
    let relay_from_localhost = |ip: IpAddr| {
        let (family, ip) = (if ip.is_ipv4() { "TCP4" } else { "TCP6" }, bracketed(ip));
        format!(
            "nsenter {nsenter_options} socat TCP4-LISTEN:{port},bind=127.0.0.1,fork,reuseaddr \
             {family}:{ip}:{port}"
        )
    };
    let is_dialed = ips.iter().any(|ip| own_addresses.contains(ip));
    let fix = if is_dialed { dial_native() } else { relay_from_localhost(ips[0]) };
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

    fn finding(listeners: &[&str], own_addresses: &[IpAddr], mode: ForwardingMode) -> Finding {
        let listeners: Vec<SocketAddr> = listeners.iter().map(|at| at.parse().unwrap()).collect();
        let target = ListeningTarget {
            listeners: &listeners,
            own_addresses,
            mode,
            target_args: "kuard",
            nsenter_options: "-t 1 -n",
        };
        listening(&target, 8080)
    }

    fn check(listeners: &[&str], mode: ForwardingMode) -> (Severity, String) {
        let finding = finding(listeners, &[], mode);
        (finding.severity, finding.what)
    }

    #[test]
    fn only_an_address_that_the_native_dialer_tries_needs_no_second_listener() {
        let own = ["10.88.0.5", "fd00::5"].map(|ip| ip.parse().unwrap());
        let native = "pfsnoop forward kuard 8080 --dialer native";
        let relay = "nsenter -t 1 -n socat TCP4-LISTEN:8080,bind=127.0.0.1,fork,reuseaddr ";
        for (listener, fix) in [
            ("10.88.0.5:8080", native.to_owned()),
            ("[fd00::5]:8080", native.to_owned()),
            ("10.96.0.1:8080", format!("{relay}TCP4:10.96.0.1:8080")),
            ("[fd00::1]:8080", format!("{relay}TCP6:[fd00::1]:8080")),
        ] {
            let finding = finding(&[listener], &own, ForwardingMode::Helpers);
            assert_eq!(finding.fix, Some(fix), "{listener}");
        }
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
