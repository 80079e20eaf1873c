//! What stays the same for every kubectl when a connection fails.

use super::endpoint::{PODS, Pods, page, wait_for_servers};
use crate::common::eventually;
use crate::support::parts::KUBECTLS;
use crate::support::records::records;

#[test]
fn with_keep_a_refused_port_does_not_end_the_session() {
    let pods = Pods::start("serve-keep");
    let endpoint = pods.serve(&["--on-failure", "keep", "-o", "json"]);
    wait_for_servers(&endpoint);
    for release in KUBECTLS {
        let (_kubectl, ports) = endpoint.forward(release, PODS[1], &[8081, 8080]);
        for _ in 0..2 {
            assert_eq!(page(ports[0], ""), b"", "{release}");
            assert_eq!(page(ports[1], ""), b"plain\n", "{release}");
        }
    }
    let closed = |outcome: &str| {
        let all = records(&endpoint.running);
        let is_it = |record: &&serde_json::Value| record["outcome"] == outcome;
        all.iter().filter(is_it).cloned().collect::<Vec<_>>()
    };
    let count = 2 * KUBECTLS.len();
    let refused = eventually("the refused sessions", || {
        let refused = closed("refused");
        (refused.len() == count && closed("ok").len() == count).then_some(refused)
    });
    for record in &refused {
        assert_eq!(
            (&record["port"], &record["target"]["container"]["name"]),
            (&8081.into(), &"plain".into())
        );
        assert!(
            record["client"]["user_agent"].as_str().unwrap().starts_with("kubectl/v1."),
            "{record}"
        );
    }
    let transports: Vec<_> =
        refused.iter().map(|record| record["client"]["transport"].as_str().unwrap()).collect();
    assert_eq!(transports[0], "spdy", "kubectl up to 1.30");
    assert_eq!(transports[count - 1], "spdy+websocket", "kubectl since 1.31");
}
