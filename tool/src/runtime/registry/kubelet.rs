//! What a kubelet writes into the labels and annotations of sandboxes and containers
//! (pkg/kubelet/kuberuntime/labels.go).

use std::collections::BTreeMap;

use serde::Deserialize;

use super::json::{Entries, lenient, read};
use crate::model::DeclaredPort;

/// What the names of a kubelet's own labels begin with: `io.kubernetes.pod.name`,
/// `io.kubernetes.container.name`, and the ones that dockershim adds.
const OWN: [&str; 3] = ["io.kubernetes.pod.", "io.kubernetes.container.", "io.kubernetes.docker."];

/// The annotation with the ports that a container declares, as JSON.
pub(super) const PORTS: &str = "io.kubernetes.container.ports";

/// dockershim and cri-dockerd make labels of annotations, because Docker has no annotations.
const ANNOTATION: &str = "annotation.";

/// The labels of the pod itself, without those that the kubelet adds to name the pod.
pub(super) fn without_own_labels(
    labels: impl IntoIterator<Item = (String, String)>,
) -> BTreeMap<String, String> {
    let is_own = |name: &str| OWN.iter().any(|own| name.starts_with(own));
    labels.into_iter().filter(|(name, _)| !is_own(name) && !name.starts_with(ANNOTATION)).collect()
}

/// The TCP ports in the annotation [`PORTS`]:
/// `[{"name":"http","containerPort":8080,"protocol":"TCP"}]`.
pub(super) fn tcp_ports(text: &str) -> Vec<DeclaredPort> {
    #[derive(Deserialize)]
    struct Port {
        #[serde(rename = "containerPort")]
        number: u16,
        #[serde(default, deserialize_with = "lenient")]
        name: Option<String>,
        #[serde(default, deserialize_with = "lenient")]
        protocol: String,
    }
    let Ok(Entries { list, .. }) = read::<Entries<Port>>(text.as_bytes()) else {
        return Vec::new();
    };
    let is_tcp = |port: &Port| matches!(port.protocol.as_str(), "" | "TCP");
    let declared = |Port { number, name, .. }: Port| {
        let name = name.filter(|name| !name.is_empty());
        DeclaredPort { port: number, name }
    };
    list.into_iter().filter(is_tcp).map(declared).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_that_cannot_be_read_are_left_out() {
        let ports = tcp_ports(r#"[{"containerPort":80},{"containerPort":99999},7]"#);
        assert_eq!(ports, [DeclaredPort::from(80)]);
        for none in ["", "null", "{}", "[[[["] {
            assert_eq!(tcp_ports(none), [], "{none}");
        }
    }
}
