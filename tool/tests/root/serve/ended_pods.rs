//! Pods that have ended.

use super::endpoint::{PODS, Pods, page, wait_for_servers};
use crate::common::eventually;
use crate::support::records::records;

/// A container that has ended is found by nobody: the connection fails before it is dialed. It has its
/// records all the same.
#[test]
fn a_connection_to_a_container_that_has_ended_is_a_session() {
    let pods = Pods::start("serve-ended");
    let endpoint = pods.serve(&["-o", "json"]);
    wait_for_servers(&endpoint);
    let (mut kubectl, ports) = endpoint.forward("forky", PODS[1], &[8080]);
    assert_eq!(page(ports[0], ""), b"plain\n");
    let mut stop = pods.docker.client();
    assert!(stop.args(["stop", "--time", "0", "plain"]).status().unwrap().success());
    assert_eq!(page(ports[0], ""), b"");
    let said = kubectl.stderr_line("the error", |line| line.contains("error forwarding port 8080"));
    assert!(said.contains("container not running"), "{said}");
    let closed = eventually("its record", || {
        let is_it = |record: &serde_json::Value| record["outcome"] == "target-gone";
        records(&endpoint.running).into_iter().find(is_it)
    });
    assert_eq!(closed["port"], 8080, "{closed}");
    assert_eq!(closed["target"]["pod"]["name"], "plain", "{closed}");
    assert!(closed["reason"].as_str().unwrap().contains("container not running"), "{closed}");
    assert!(closed["client"]["user_agent"].as_str().unwrap().starts_with("kubectl/"), "{closed}");
}
