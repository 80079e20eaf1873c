//! A reader that cannot keep up: what is lost is counted to the last record, and helpers are not.

use std::io::Write as _;
use std::process::{Command, Stdio};

use rustix::process::Signal;
use serde_json::Value;

use crate::odd_execs::{attached, fixture, records};
use crate::support::{eventually, pfsnoop, running::Running};

/// A shell whose children are the only ones that are traced.
struct Parent(std::process::Child);

impl Parent {
    /// One that execs the fixture so many times with that many bytes of arguments, once told to.
    fn of_a_storm(count: usize, bytes: usize) -> Self {
        let script = "read go; long=$(printf \"%0$2d\" 0); \
            for i in $(seq \"$0\"); do \"$1\" exit 0 $long m-storm; done; read end";
        let mut bash = Command::new("bash");
        bash.args(["-c", script, &count.to_string()]).arg(fixture()).arg(bytes.to_string());
        Self(bash.stdin(Stdio::piped()).spawn().unwrap())
    }

    fn pid(&self) -> String {
        self.0.id().to_string()
    }

    /// Runs the storm to its end while the reader stands still.
    fn storm(self, snoop: &Running) {
        self.storm_then(snoop, || {});
    }

    /// The same, and does something before the reader goes on.
    fn storm_then(mut self, snoop: &Running, then: impl FnOnce()) {
        snoop.signal(Signal::STOP);
        self.0.stdin.take().unwrap().write_all(b"go\n").unwrap();
        self.0.wait().unwrap();
        then();
        snoop.signal(Signal::CONT);
    }
}

fn count(records: &[Value], kind: &str, marker: &str) -> usize {
    let has_marker =
        |record: &&Value| marker.is_empty() || record["args"].to_string().contains(marker);
    records.iter().filter(|record| record["type"] == kind).filter(has_marker).count()
}

fn lost(records: &[Value]) -> u64 {
    let lost = records.iter().filter(|record| record["type"] == "lost");
    lost.map(|record| record["events"].as_u64().unwrap()).sum()
}

#[test]
fn shown_and_lost_make_up_what_happened() {
    // Some hundred of these records fit the ring buffer.
    let parent = Parent::of_a_storm(500, 15_000);
    let mut snoop = Running::start(&mut pfsnoop(&["-P", &parent.pid(), "-o", "json", "-v"]));
    snoop.stderr_line("word that it is attached", |line| line.contains("attached"));
    parent.storm(&snoop);
    eventually("the loss", || (lost(&records(&snoop)) > 0).then_some(()));
    snoop.signal(Signal::INT);
    assert!(snoop.wait().success());
    let lines = snoop.whole_stdout();
    let records: Vec<Value> =
        lines.iter().map(|line| serde_json::from_str(line).unwrap()).collect();
    let (shown, lost) = (count(&records, "exec", "m-storm"), lost(&records));
    assert!(shown > 50 && lost > 100, "{shown} shown, {lost} lost");
    assert_eq!(shown as u64 + lost, 500);
    let total =
        records.iter().rev().find(|record| record["type"] == "lost").unwrap()["total"].as_u64();
    assert_eq!(total, Some(lost));
}

#[test]
fn a_backlog_is_shown_before_the_end() {
    // Several batches, none of which is lost.
    let parent = Parent::of_a_storm(2000, 100);
    let mut snoop = Running::start(&mut pfsnoop(&["-P", &parent.pid(), "-o", "json", "-v"]));
    snoop.stderr_line("word that it is attached", |line| line.contains("attached"));
    parent.storm_then(&snoop, || snoop.signal(Signal::INT));
    assert!(snoop.wait().success());
    let lines = snoop.whole_stdout();
    let records: Vec<Value> =
        lines.iter().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(count(&records, "exec", "m-storm") as u64 + lost(&records), 2000);
}

#[test]
fn helpers_are_not_lost_in_a_storm_that_loses_others() {
    let snoop = attached(&[]);
    let long = "x".repeat(15_000);
    snoop.signal(Signal::STOP);
    for round in 0..5 {
        for _ in 0..100 {
            Command::new(fixture()).args(["exit", "0", &long]).status().unwrap();
        }
        let mark = format!("--version m-helper-{round}");
        let words: Vec<&str> = mark.split(' ').collect();
        for helper in ["/usr/bin/nsenter", "/usr/bin/socat"] {
            // What they make of the words does not matter.
            Command::new(helper).args(&words).output().unwrap();
        }
    }
    snoop.signal(Signal::CONT);
    eventually("the loss", || (lost(&records(&snoop)) > 0).then_some(()));
    let records = records(&snoop);
    for round in 0..5 {
        assert_eq!(count(&records, "exec", &format!("m-helper-{round}")), 2, "round {round}");
    }
}

#[test]
fn text_tells_of_loss_on_stderr_and_again_at_the_end() {
    let parent = Parent::of_a_storm(400, 15_000);
    let mut snoop = Running::start(&mut pfsnoop(&["-P", &parent.pid(), "--max-args", "1"]));
    snoop.stdout_line("header", |line| line.starts_with("PCOMM"));
    parent.storm(&snoop);
    snoop.stderr_line("loss", |line| line.contains("records were lost"));
    let (_, _, stderr) = snoop.interrupt();
    let last = stderr.last().unwrap();
    assert!(
        last.starts_with("pfsnoop: in all, ") && last.ends_with(" records were lost"),
        "{stderr:#?}"
    );
}
