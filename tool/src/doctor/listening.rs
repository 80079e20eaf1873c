//! Who listens on a port inside the target, and whether `localhost` reaches it.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use crate::model::Finding;
use crate::model::ForwardingMode;
use crate::model::Severity::{Fail, Warn};

pub(super) const CHECK: &str = "target.listens";
const WHY: &str = "a port-forward dials localhost inside the pod, as a process in it would";

/// Most ports that are named in one line.
const NAMED: usize = 8;

/// Judges one port; `target` is as it is called in a command, `enter` is how nsenter gets there.
pub(super) fn judge(
    all: &[SocketAddr],
    port: u16,
    mode: ForwardingMode,
    target: &str,
    enter: &str,
) -> Finding {
    let on: Vec<IpAddr> = all.iter().filter(|at| at.port() == port).map(SocketAddr::ip).collect();
    let natively = || format!("pfsnoop forward {target} {port} --dialer native");
    if on.is_empty() {
        return nothing(all, port, target);
    }
    let addresses = list(on.iter().map(|&ip| bracketed(ip)));
    if on.iter().any(|&ip| is_ipv4_localhost(ip)) {
        return Finding::ok(CHECK, format!("{port} listens on {addresses}"), WHY);
    }
    if on.contains(&IpAddr::V6(Ipv6Addr::LOCALHOST)) {
        // The kubelets' native roads try IPv6 second.
        let severity = if mode == ForwardingMode::Native { Warn } else { Fail };
        let what = format!("{port} listens on {addresses} only; `TCP4:localhost` cannot reach it");
        return Finding::new(severity, CHECK, what, WHY).fix(natively());
    }
    let what = format!(
        "{port} listens on {addresses} only; kubectl port-forward dials localhost and will be \
         refused"
    );
    // Another of loopback's addresses is nobody's but who asks for it; a listener on localhost that
    // leads there helps all.
    let to_itself = |ip| {
        format!(
            "nsenter {enter} socat TCP4-LISTEN:{port},bind=127.0.0.1,fork,reuseaddr TCP4:{ip}:{port}"
        )
    };
    let elsewhere = on.iter().find(|ip| !ip.is_loopback());
    let fix = elsewhere.map_or_else(|| to_itself(on[0]), |_| natively());
    Finding::new(Fail, CHECK, what, WHY).fix(fix)
}

fn nothing(all: &[SocketAddr], port: u16, target: &str) -> Finding {
    let others = ports(all);
    let (what, fix) = match others[..] {
        [] => (
            format!("nothing listens on {port}, nor on any other port"),
            format!("pfsnoop doctor {target} {port}   # again, once the application has started"),
        ),
        [first, ..] => {
            let verb = if others.len() == 1 { "does" } else { "do" };
            let others = list(others.iter().take(NAMED).map(u16::to_string));
            let what = format!("nothing listens on {port}; {others} {verb}");
            (what, format!("pfsnoop doctor {target} {first}"))
        }
    };
    Finding::new(Fail, CHECK, what, WHY).fix(fix)
}

/// Each port on which somebody listens, once.
pub(super) fn ports(all: &[SocketAddr]) -> Vec<u16> {
    let mut ports: Vec<u16> = all.iter().map(SocketAddr::port).collect();
    ports.sort_unstable();
    ports.dedup();
    ports
}

/// Whether a connection to 127.0.0.1 arrives there. A socket on `::` takes IPv4 too, unless it is
/// told not to, which shows when it is dialed.
fn is_ipv4_localhost(ip: IpAddr) -> bool {
    ip.is_unspecified() || ip == IpAddr::V4(Ipv4Addr::LOCALHOST)
}

fn bracketed(ip: IpAddr) -> String {
    if ip.is_ipv6() { format!("[{ip}]") } else { ip.to_string() }
}

/// `80, 443 and 9090`
fn list(all: impl Iterator<Item = String>) -> String {
    let mut all: Vec<String> = all.collect();
    match all.pop() {
        Some(last) if !all.is_empty() => format!("{} and {last}", all.join(", ")),
        last => last.unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Severity;

    fn of(listeners: &[&str], mode: ForwardingMode) -> (Severity, String) {
        let all: Vec<SocketAddr> = listeners.iter().map(|at| at.parse().unwrap()).collect();
        let finding = judge(&all, 8080, mode, "kuard", "-t 1 -n");
        (finding.severity, finding.what)
    }

    #[test]
    fn says_who_can_be_reached() {
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
            assert_eq!(of(listeners, ForwardingMode::Helpers), (severity, what.to_owned()));
        }
        assert_eq!(of(&["[::1]:8080"], ForwardingMode::Native).0, Warn);
    }
}
