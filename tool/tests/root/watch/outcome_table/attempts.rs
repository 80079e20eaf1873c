//! Connections that are not established.

use std::io::Read as _;

use super::case::{Case, ways};
use crate::support::pod::DemoPod;

/// No connection is established.
#[test]
fn an_attempt_to_connect_that_fails() {
    // Without IPv6, there is no second attempt beside the first.
    let drop = "echo 1 > /proc/sys/net/ipv6/conf/all/disable_ipv6; \
                iptables -A INPUT -p tcp --dport 7085 -j DROP";
    for (script, outcome) in [
        ("true", "refused"),
        ("ip route flush table local; ip -6 route flush table local", "unreachable"),
        (drop, "timeout"),
    ] {
        let mut ways = ways();
        match outcome {
            // pfsnoop kills a helper that takes too long, and that is what an observer sees.
            "timeout" => ways.truncate(1),
            // Without a route, connect(2) makes no connection that the kernel reports. Only a
            // helper is seen.
            "unreachable" => _ = ways.remove(0),
            _ => {}
        }
        for way in ways {
            let pod = DemoPod::start();
            assert!(pod.inside(&["sh", "-c", script]).status().unwrap().success());
            let mut case = Case::connect(&way, pod, 7085);
            let _ = case.client.read_to_end(&mut Vec::new());
            let end = case.end();
            assert_eq!(end["outcome"], outcome, "{way:?}: {end:#}");
        }
    }
}
