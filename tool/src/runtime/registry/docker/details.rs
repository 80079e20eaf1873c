//! What Docker's list says about a container, beyond what it takes to find it.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::messages::{Port, Summary};
use crate::model::{DeclaredPort, TargetDetails};
use crate::runtime::registry::kubelet;

pub(super) fn details(summary: &Summary) -> TargetDetails {
    let Summary { labels, image, created, ports, .. } = summary;
    TargetDetails {
        labels: kubelet::without_own_labels(labels.0.clone()),
        created: Timestamp::from_second(*created).ok().filter(|_| *created > 0),
        image: Some(image.clone()).filter(|name| !name.is_empty()),
        ports: tcp_ports(ports),
    }
}

/// A published port is listed for each address at which it is published.
fn tcp_ports(ports: &[Port]) -> Vec<DeclaredPort> {
    let tcp = ports.iter().filter(|port| port.protocol == "tcp");
    let ports: BTreeSet<u16> = tcp.map(|port| port.private_port).collect();
    ports.into_iter().map(Into::into).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runtime::registry::json::{Entries, read};

    #[test]
    fn a_container_is_listed_with_its_labels_time_image_and_ports() {
        let text =
            br#"[{"Id": "a", "Image": "nginx:1", "Created": 1764000000, "Labels": {"app": "web",
            "annotation.x": "y", "io.kubernetes.pod.name": "kuard", "n": 7},
            "Ports": [{"PrivatePort": 80, "Type": "tcp"}, {"IP": "::", "PrivatePort": 80,
            "PublicPort": 8080, "Type": "tcp"}, {"PrivatePort": 53, "Type": "udp"}]},
            {"Id": "b", "Created": "yesterday", "Ports": [7], "Image": 7}]"#;
        let all: Entries<Summary> = read(text).unwrap();
        let all: Vec<_> = all.list.iter().map(details).collect();
        let expected = TargetDetails {
            labels: [("app".to_owned(), "web".to_owned())].into(),
            created: Some(Timestamp::from_second(1_764_000_000).unwrap()),
            image: Some("nginx:1".to_owned()),
            ports: vec![80.into()],
        };
        assert_eq!(all[0], expected);
        assert_eq!(all[1], TargetDetails::default());
    }
}
