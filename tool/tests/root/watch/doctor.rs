//! The doctor's own test connections, as a watch beside it shows them.

use serde_json::Value;

use crate::common::{eventually, output, pfsnoop};
use crate::support::exclusive::exclusive_ring_buffers;
use crate::support::pod::DemoPod;
use crate::support::records::sessions;
use crate::support::watch::watch_json;

#[test]
fn test_connections_of_the_doctor_end_as_what_they_are() {
    // A test of lost records makes connections that displace those of this test.
    let _exclusive = exclusive_ring_buffers();
    let pod = DemoPod::start();
    let netns = pod.netns();
    let _servers = [
        // It hangs up at once, says something, waits for the client, and never stops.
        pod.serve(7043, &["socat", "TCP4-LISTEN:7043,fork", "SYSTEM:true"]),
        pod.serve(7044, &["socat", "TCP4-LISTEN:7044,fork", "SYSTEM:echo banner; cat"]),
        pod.serve(7045, &["socat", "TCP4-LISTEN:7045,fork", "SYSTEM:sleep 60"]),
        pod.serve(7046, &["socat", "TCP4-LISTEN:7046,fork", "EXEC:yes,nofork"]),
        pod.serve(7048, &["socat", "TCP4-LISTEN:7048,fork", "SYSTEM:cat"]),
    ];
    // As a firewall does. socat would try for two minutes.
    let drop = ["iptables", "-A", "INPUT", "-p", "tcp", "--dport", "7048", "-j", "DROP"];
    assert!(output(&mut pod.inside(&drop)).status.success());
    let watch = watch_json(&[]);
    let doctor = ["doctor", &pod.target(), "8080", "7043", "7044", "7045", "7046", "7047", "7048"];
    output(&mut pfsnoop(&doctor));
    let ends = eventually("all sessions", || {
        let all = sessions(&watch, |record| record["target"]["netns"] == netns);
        let ends: Vec<Value> = all.into_iter().filter(|one| one["state"] == "closed").collect();
        // Without an answer, the native dialer also tries IPv6, in a session of its own.
        (ends.len() == 15).then_some(ends)
    });
    for end in &ends {
        // It never stops, so it is left by a reset.
        let expected = match (end["port"].as_u64().unwrap(), end["via"].as_str().unwrap()) {
            (7047, _) => &["refused"][..],
            (7048, "native") if end["outcome"] == "refused" => {
                assert!(end["reason"].as_str().unwrap().contains("[::1]:7048"), "{end}");
                &["refused"]
            }
            (7048, _) => &["timeout"],
            (7046, "nsenter+socat") => &["reset"],
            (_, "nsenter+socat") => &["ok"],
            // What had come when the socket was closed was not read.
            (7044 | 7046, _) => &["ok", "reset"],
            _ => &["ok"],
        };
        assert!(expected.contains(&end["outcome"].as_str().unwrap()), "{expected:?}: {end}");
    }
}
