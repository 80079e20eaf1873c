//! Execs that fail after the kernel has replaced the caller's memory, on other kernels.

use serde_json::{Value, json};

use crate::support::records::parse;
use crate::support::vm;

/// Shell: three execs that fail late, in the fixture's three ways.
const LATE: &str = "\
/pfsnoop -x -o json -v > /tmp/records 2> /tmp/said & snoop=$!
tries=0
until grep -q attached /tmp/said || [ $tries = 100 ]; do sleep 0.1; tries=$((tries+1)); done
for way in replaced replaced-by-thread replaced-unread; do /late-exec $way /tmp/late-$way m-late; done
sleep 1; kill -INT $snoop; wait $snoop || cat /tmp/said
cat /tmp/records";

fn late_failures_on(kernel: &str) {
    let printed = vm::run(kernel, "", LATE);
    let lines: Vec<&str> = printed.lines().filter(|line| line.starts_with('{')).collect();
    let mut failed = parse(&lines);
    assert!(!failed.iter().any(|record| record["type"] == "lost"), "{printed}");
    failed.retain(|record| record["ret"].as_i64() < Some(0) && record["comm"] == "late-exec");
    let shown = |record: &Value| json!([record["filename"], record["args"]]);
    let read = |path: &str| json!([path, [path, "passed", "m-late"]]);
    assert_eq!(
        failed.iter().map(shown).collect::<Vec<_>>(),
        [read("/tmp/late-replaced"), read("/tmp/late-replaced-by-thread"), json!([null, []])],
        "{printed}"
    );
}

#[test]
fn late_failures_are_shown_on_linux_5_10() {
    late_failures_on("5.10");
}

#[test]
fn late_failures_are_shown_on_linux_6_1() {
    late_failures_on("6.1");
}

#[test]
fn late_failures_are_shown_on_linux_6_12() {
    late_failures_on("6.12");
}

#[test]
fn late_failures_are_shown_on_linux_7_2() {
    late_failures_on("7.2");
}
