//! JSON records that `pfsnoop -o json` prints, one per line.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::common::eventually;
use crate::common::running::Running;
use crate::support::schema::parse_record;

/// Parses lines. Each must be a record as the schema describes it.
pub fn parse(lines: &[impl AsRef<str>]) -> Vec<Value> {
    lines.iter().map(|line| parse_record(line.as_ref())).collect()
}

/// Every record so far. Fails when stdout holds anything else.
pub fn records(running: &Running) -> Vec<Value> {
    parse(&running.stdout())
}

/// Waits for the first record for which `wanted` is true.
pub fn wait_for_record(running: &Running, what: &str, wanted: impl Fn(&Value) -> bool) -> Value {
    eventually(what, || records(running).into_iter().find(&wanted))
}

/// Every session record so far for which `wanted` is true.
pub fn sessions(running: &Running, wanted: impl Fn(&Value) -> bool) -> Vec<Value> {
    let mut all = records(running);
    all.retain(|record| record["type"] == "session" && wanted(record));
    all
}

/// Every session record so far with this state.
pub fn in_state(running: &Running, state: &str) -> Vec<Value> {
    sessions(running, |record| record["state"] == state)
}

/// Waits until the one session for which `wanted` is true is closed. Returns the `closed` record.
pub fn closed(running: &Running, wanted: impl Fn(&Value) -> bool) -> Value {
    let is_closed = |record: &Value| record["state"] == "closed" && wanted(record);
    let mut found = eventually("a closed session", || {
        Some(sessions(running, is_closed)).filter(|found| !found.is_empty())
    });
    assert_eq!(found.len(), 1, "{found:#?}");
    found.remove(0)
}

/// The names of a record's keys.
pub fn keys(record: &Value) -> BTreeSet<&str> {
    record.as_object().unwrap().keys().map(String::as_str).collect()
}

/// The states of these session records.
pub fn states(records: &[Value]) -> Vec<&str> {
    records.iter().map(|record| record["state"].as_str().unwrap()).collect()
}
