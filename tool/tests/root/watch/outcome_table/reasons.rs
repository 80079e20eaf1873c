//! Reasons: what `forward` and `watch` say about the same end.

use serde_json::Value;

/// The beginnings of two reasons for the same end, and why they differ.
struct Difference {
    forward: &'static str,
    watch: &'static str,
    #[expect(dead_code, reason = "it is for the reader")]
    why: &'static str,
}

const fn differs(forward: &'static str, watch: &'static str, why: &'static str) -> Difference {
    Difference { forward, watch, why }
}

/// All differences. Any other reason must be the same.
const DIFFERENCES: &[Difference] = &[
    differs(
        "the client closed the connection early: ",
        "the forwarder reset the connection",
        "only the forwarder sees the client",
    ),
    differs(
        "the client closed the connection early: ",
        "no answer in ",
        "before an answer came: only the forwarder sees the client",
    ),
    differs(
        "the client closed the connection early: ",
        "SIGKILL ended socat",
        "before an answer came: only the forwarder sees the client",
    ),
    differs(
        "the forward was stopped",
        "SIGTERM ended socat",
        "only the forwarder knows why it ended its helper",
    ),
    differs(
        "the forward was stopped",
        "the forwarder ended (exit code 0) before the connection did",
        "only the forwarder knows that a user ended it",
    ),
    differs(
        "the pod reset the connection after the client's side had ended",
        "Connection reset by peer",
        "only the forwarder knows that the client's end has come, before it is passed on",
    ),
    differs(
        "no answer in ",
        "no answer in ",
        "the forwarder's clock starts when it makes the socket, and the kernel's with the SYN",
    ),
    differs(
        "cannot connect to port 7091 inside the target: no answer in 1 s, the limit",
        "no answer in 1.",
        "only the forwarder knows its limit",
    ),
    differs(
        "cannot connect to port 7091 inside the target: no answer in 1 s, the limit",
        "SIGKILL ended socat",
        "only the forwarder knows why it ended its helper",
    ),
];

/// Fails if the reasons of two records about the same connection differ, and the table does not say
/// why.
pub fn assert_same_reason(own: &Value, seen: &Value) {
    let [forward, watch] = [own, seen].map(|record| record["reason"].as_str().unwrap());
    let is_it =
        |known: &Difference| forward.starts_with(known.forward) && watch.starts_with(known.watch);
    assert!(forward == watch || DIFFERENCES.iter().any(is_it), "{own:#}\n{seen:#}");
}
