//! A pod.

use serde::Serialize;

use super::container::{Container, ContainerStatus};
use super::meta::{ObjectMeta, in_seconds};
use crate::model::TargetNetwork;
use crate::serve::pods::ServedPod;

/// A pod, as the API has it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::serve::api) struct PodObject<'a> {
    kind: &'static str,
    api_version: &'static str,
    metadata: ObjectMeta<'a>,
    spec: Spec<'a>,
    status: Status<'a>,
}

/// What is known of a pod beside what its runtime lists.
#[derive(Clone, Copy, Debug)]
pub(in crate::serve::api) struct Observed<'a> {
    /// The name of this node.
    pub(in crate::serve::api) node: &'a str,
    /// The pod's network, if it runs and could be looked up.
    pub(in crate::serve::api) network: Option<&'a TargetNetwork>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Spec<'a> {
    node_name: &'a str,
    containers: Vec<Container<'a>>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Status<'a> {
    phase: &'static str,
    conditions: Vec<Condition>,
    #[serde(rename = "podIP", skip_serializing_if = "Option::is_none")]
    pod_ip: Option<String>,
    #[serde(rename = "podIPs", skip_serializing_if = "Vec::is_empty")]
    pod_ips: Vec<PodIp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    start_time: Option<String>,
    container_statuses: Vec<ContainerStatus<'a>>,
}

#[derive(Debug, Serialize)]
struct Condition {
    #[serde(rename = "type")]
    kind: &'static str,
    status: &'static str,
}

#[derive(Debug, Serialize)]
struct PodIp {
    ip: String,
}

impl<'a> PodObject<'a> {
    pub(in crate::serve::api) fn new(pod: &'a ServedPod, observed: Observed<'a>) -> Self {
        Self {
            kind: "Pod",
            api_version: "v1",
            metadata: ObjectMeta::of_pod(pod),
            spec: Spec {
                node_name: observed.node,
                containers: pod.containers.iter().map(Container::of).collect(),
            },
            status: status(pod, observed.network),
        }
    }
}

fn status<'a>(pod: &'a ServedPod, network: Option<&TargetNetwork>) -> Status<'a> {
    let ready = if pod.is_running() { "True" } else { "False" };
    let conditions = [
        ("PodScheduled", "True"),
        ("Initialized", "True"),
        ("ContainersReady", ready),
        ("Ready", ready),
    ];
    let addresses = network.iter().flat_map(|network| &network.addresses);
    let pod_ips: Vec<PodIp> = addresses.map(|ip| PodIp { ip: ip.to_string() }).collect();
    let runtime = pod.entry.client.name();
    let statuses = pod.containers.iter().map(|one| ContainerStatus::of(runtime, one));
    Status {
        phase: pod.phase().word(),
        conditions: conditions.map(|(kind, status)| Condition { kind, status }).into(),
        pod_ip: pod_ips.first().map(|first| first.ip.clone()),
        pod_ips,
        start_time: pod.created().map(in_seconds),
        container_statuses: statuses.collect(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::model::DeclaredPort;
    use crate::serve::pods::example::{container, served};

    #[test]
    fn a_pod_has_what_clients_read() {
        let mut pod = served("shop/kuard/u1", true);
        let details = &mut pod.entry.info.details;
        details.labels.insert("app".to_owned(), "web".to_owned());
        details.created = Some("2026-11-26T14:34:38.5Z".parse().unwrap());
        let mut web = container("c1", "web", "shop/kuard/u1", true).info;
        web.details.image = Some("kuard:1".to_owned());
        web.details.ports = vec![DeclaredPort { port: 8080, name: Some("http".to_owned()) }];
        pod.containers = vec![web];
        let addresses = ["10.0.0.7", "fd00::7"].map(|ip| ip.parse().unwrap()).into();
        let network = TargetNetwork { addresses, ..TargetNetwork::default() };
        let observed = Observed { node: "node-1", network: Some(&network) };
        let object = serde_json::to_value(PodObject::new(&pod, observed)).unwrap();
        let metadata = json!({
            "name": "kuard",
            "namespace": "shop",
            "uid": "u1",
            "creationTimestamp": "2026-11-26T14:34:38Z",
            "labels": { "app": "web" },
        });
        assert_eq!((&object["kind"], &object["apiVersion"]), (&json!("Pod"), &json!("v1")));
        assert_eq!(object["metadata"], metadata);
        let port = json!({ "name": "http", "containerPort": 8080, "protocol": "TCP" });
        let spec = json!({
            "nodeName": "node-1",
            "containers": [{ "name": "web", "image": "kuard:1", "ports": [port] }],
        });
        assert_eq!(object["spec"], spec);
        let status = &object["status"];
        assert_eq!((&status["phase"], &status["podIP"]), (&json!("Running"), &json!("10.0.0.7")));
        assert_eq!(status["podIPs"], json!([{ "ip": "10.0.0.7" }, { "ip": "fd00::7" }]));
        assert_eq!(status["conditions"][3], json!({ "type": "Ready", "status": "True" }));
        assert_eq!(status["containerStatuses"][0]["containerID"], "docker://c1");
    }

    #[test]
    fn what_is_not_known_is_absent() {
        let pod = served("shop/kuard/u1", false);
        let observed = Observed { node: "node-1", network: None };
        let object = serde_json::to_value(PodObject::new(&pod, observed)).unwrap();
        assert_eq!(object["status"]["phase"], "Unknown");
        for (part, key) in [
            ("metadata", "creationTimestamp"),
            ("metadata", "labels"),
            ("status", "podIP"),
            ("status", "startTime"),
        ] {
            assert!(object[part].get(key).is_none(), "{key}");
        }
    }
}
