//! Records of the targets that can be forwarded to.

use std::net::IpAddr;

use serde::Serialize;

use super::value::Pod;
use crate::model::{TargetEntry, TargetKind, TargetNetwork};

#[derive(Serialize)]
pub(super) struct Target<'a> {
    r#type: &'static str,
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    namespace: Option<&'a str>,
    name: &'a str,
    id: &'a str,
    runtime: &'static str,
    state: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pid: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    netns: Option<u64>,
    addresses: Vec<IpAddr>,
    listeners: Vec<Listener>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pod: Option<Pod>,
}

#[derive(Serialize)]
struct Listener {
    address: IpAddr,
    port: u16,
}

pub(super) fn target(entry: &TargetEntry) -> Target<'_> {
    let TargetEntry { info, runtime, network } = entry;
    let network = network.clone();
    let pid = network.as_ref().and_then(|network| network.pid);
    let netns = network.as_ref().map(|network| network.netns);
    let TargetNetwork { addresses, listeners, .. } = network.unwrap_or_default();
    let listeners = listeners.iter();
    Target {
        r#type: "target",
        kind: match info.kind {
            TargetKind::Sandbox => "pod",
            TargetKind::Container => "container",
        },
        namespace: info.pod.as_ref().map(|pod| pod.namespace.as_str()),
        name: entry.name(),
        id: &info.id,
        runtime,
        state: &info.state,
        pid,
        netns,
        addresses,
        listeners: listeners.map(|at| Listener { address: at.ip(), port: at.port() }).collect(),
        pod: info.pod.clone().map(Pod::from),
    }
}
