//! The cells of a pod's row.

use std::collections::BTreeSet;
use std::net::SocketAddr;

use jiff::Timestamp;

use super::age::age;
use crate::model::TargetNetwork;
use crate::serve::api::objects::Observed;
use crate::serve::pods::ServedPod;

/// At most this many ports of a pod are shown in a row. A pod in the node's network has all of the
/// node's.
const MAX_LISTENS: usize = 8;

/// Name, status, ports, node, age, address and runtime.
pub(super) fn pod_cells(pod: &ServedPod, observed: Observed<'_>, now: Timestamp) -> [String; 7] {
    let Observed { node, network } = observed;
    let info = &pod.entry.info;
    let status = if pod.is_running() { pod.phase().word() } else { info.state.as_str() };
    let listens = match network {
        Some(network) => listens(network),
        None if pod.is_running() => "<unknown>".to_owned(),
        None => "<none>".to_owned(),
    };
    let address = network.and_then(|network| network.addresses.first());
    let old = pod.created().map(|created| now.duration_since(created).as_secs().max(0));
    let old = old.map_or_else(|| "<unknown>".to_owned(), |seconds| age(seconds.unsigned_abs()));
    [
        pod.pod.name.clone(),
        status.to_owned(),
        listens,
        node.to_owned(),
        old,
        address.map_or_else(|| "<none>".to_owned(), ToString::to_string),
        pod.entry.client.name().to_owned(),
    ]
}

/// `80,8080`; `80,81,82,83,84,85,86,87,+4`
fn listens(network: &TargetNetwork) -> String {
    let ports: BTreeSet<u16> = network.listeners.iter().map(SocketAddr::port).collect();
    if ports.is_empty() {
        return "<none>".to_owned();
    }
    let more = ports.len().saturating_sub(MAX_LISTENS);
    let shown = ports.iter().take(MAX_LISTENS).map(ToString::to_string);
    let more = (more > 0).then(|| format!("+{more}"));
    shown.chain(more).collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::serve::pods::example::served;

    fn network(ports: impl IntoIterator<Item = u16>) -> TargetNetwork {
        let listeners = ports.into_iter().map(|port| ([127, 0, 0, 1], port).into()).collect();
        TargetNetwork { listeners, ..TargetNetwork::default() }
    }

    #[test]
    fn a_pod_that_does_not_run_has_its_runtimes_state() {
        let pod = served("shop/kuard/u1", false);
        let observed = Observed { node: "node-1", network: None };
        let cells = pod_cells(&pod, observed, Timestamp::UNIX_EPOCH);
        let expected = ["kuard", "exited", "<none>", "node-1", "<unknown>", "<none>", "docker"];
        assert_eq!(cells, expected);
        let running = served("shop/kuard/u1", true);
        assert_eq!(pod_cells(&running, observed, Timestamp::UNIX_EPOCH)[2], "<unknown>");
    }

    #[test]
    fn many_ports_are_cut() {
        assert_eq!(listens(&network(1..=8)), "1,2,3,4,5,6,7,8");
        assert_eq!(listens(&network(1..=12)), "1,2,3,4,5,6,7,8,+4");
        assert_eq!(listens(&network([])), "<none>");
    }
}
