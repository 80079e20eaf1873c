//! A very large /etc/hosts.

use serde_json::Value;

use crate::common::temp::temp_path;
use crate::support::doctor::{examine_alone, severity};

/// What the doctor says of a target when this is the node's /etc/hosts.
fn with(text: &str) -> Vec<Value> {
    let hosts = temp_path("large-hosts");
    std::fs::write(&hosts, text).unwrap();
    let (findings, _) = examine_alone(&format!(
        "mount --bind {} /etc/hosts; $PFSNOOP doctor -o json pid/$$ 7117",
        hosts.display()
    ));
    std::fs::remove_file(&hosts).unwrap();
    findings
}

#[test]
fn localhost_is_found_at_the_end_of_a_large_file() {
    let blocked = |mib: usize| "0.0.0.0 advertisements.example\n".repeat(mib * 1024 * 1024 / 31);
    let found = with(&format!("{}127.0.0.1 localhost\n", blocked(2)));
    assert_eq!(severity(&found, "target.localhost", "localhost is 127.0.0.1"), "ok");
    // What was not read is not judged, and what was found before counts.
    let cut = with(&format!("{}127.0.0.1 localhost\n", blocked(33)));
    let part = "the first 33554432 bytes in /etc/hosts do not have localhost";
    assert_eq!(severity(&cut, "target.localhost", part), "note");
    let before = with(&format!("127.0.0.1 localhost\n{}", blocked(33)));
    assert_eq!(severity(&before, "target.localhost", "localhost is 127.0.0.1"), "ok");
}
