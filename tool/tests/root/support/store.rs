//! `pfsnoop agent` with a store, and `pfsnoop history` on it.

use std::net::TcpStream;
use std::path::Path;

use serde_json::Value;

use super::netns::in_netns_of;
use super::records::parse;
use crate::common::running::Running;
use crate::common::{eventually, pfsnoop, stdout_of};

/// `pfsnoop agent` that stores there, attached.
pub fn agent(store: &Path, args: &[&str]) -> Running {
    let store = store.to_str().unwrap();
    Running::start_attached(&mut pfsnoop(
        &[&["agent", "-v", "--no-listen", "--store", store], args].concat(),
    ))
}

/// What `pfsnoop history` prints about a store.
pub fn history(store: &Path, args: &[&str]) -> Vec<String> {
    let store = store.to_str().unwrap();
    let text = stdout_of(&mut pfsnoop(&[&["history", "--store", store], args].concat()));
    text.lines().map(str::to_owned).collect()
}

/// The records of `pfsnoop history -o json`.
pub fn stored(store: &Path, args: &[&str]) -> Vec<Value> {
    parse(&history(store, &[&["-o", "json"], args].concat()))
}

/// Waits until so many closed sessions into a network namespace are stored. Returns them all.
pub fn wait_for_stored(store: &Path, netns: u64, count: usize) -> Vec<Value> {
    // The agent makes the file a moment after it has attached.
    let all = || if store.exists() { stored(store, &[]) } else { Vec::new() };
    wait_for_ends(all, netns, count)
}

/// The same among the records that `all` returns.
pub fn wait_for_ends(all: impl Fn() -> Vec<Value>, netns: u64, count: usize) -> Vec<Value> {
    eventually("the sessions in the store", || {
        let found: Vec<_> = all().into_iter().filter(|record| is_end(record, netns)).collect();
        (found.len() >= count).then_some(found)
    })
}

/// Whether a record is of a closed session into a network namespace.
pub fn is_end(record: &Value, netns: u64) -> bool {
    record["state"] == "closed" && record["target"]["netns"] == netns
}

/// Makes connections from outside into a process's network namespace, one after another.
pub fn connect_often(pid: u32, port: u16, count: usize) {
    in_netns_of(pid, || {
        for _ in 0..count {
            drop(TcpStream::connect(("127.0.0.1", port)));
        }
    });
}
