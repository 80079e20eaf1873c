//! A reader that cannot keep up: what is lost is counted to the last record, and helpers are not.

use std::io::Write as _;
use std::process::{Command, Stdio};

use rustix::process::Signal;
use serde_json::Value;

use crate::exec::rows::run_as;
use crate::exec::unusual_execs::{attached, fixture, records};
use crate::support::{
    eventually, pfsnoop, rings_to_ourselves, running::Running, stdout_of, system,
};

/// `pfsnoop` with these options and JSON, attached before anything passes its filter.
fn attached_quietly(args: &[&str]) -> Running {
    let mut snoop = Running::start(pfsnoop(args).args(["-o", "json", "-v"]));
    snoop.stderr_line("word that it is attached", |line| line.contains("attached"));
    snoop
}

/// Every record, once it has ended by itself.
fn whole(mut snoop: Running) -> Vec<Value> {
    assert!(snoop.wait().success());
    let lines = snoop.whole_stdout();
    lines.iter().map(|line| serde_json::from_str(line).unwrap()).collect()
}

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

    /// Runs the storm to its end.
    fn go(mut self) {
        self.0.stdin.take().unwrap().write_all(b"go\n").unwrap();
        self.0.wait().unwrap();
    }

    /// Runs the storm while the reader stands still, and does something before it goes on.
    fn storm_then(self, snoop: &Running, then: impl FnOnce()) {
        snoop.signal(Signal::STOP);
        self.go();
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
    let before = jiff::Timestamp::now();
    let snoop = attached_quietly(&["-P", &parent.pid()]);
    parent.storm(&snoop);
    eventually("the loss", || (lost(&records(&snoop)) > 0).then_some(()));
    snoop.signal(Signal::INT);
    let records = whole(snoop);
    let (shown, lost) = (count(&records, "exec", "m-storm"), lost(&records));
    assert!(shown > 50 && lost > 100, "{shown} shown, {lost} lost");
    assert_eq!(shown as u64 + lost, 500);
    let last = records.iter().rev().find(|record| record["type"] == "lost").unwrap();
    assert_eq!(last["total"], lost);
    let time: jiff::Timestamp = last["time"].as_str().unwrap().parse().unwrap();
    assert!(before <= time && time <= jiff::Timestamp::now(), "{last}");
}

#[test]
fn a_backlog_is_shown_before_the_end() {
    // Several batches, none of which is lost.
    let parent = Parent::of_a_storm(2000, 100);
    let snoop = attached_quietly(&["-P", &parent.pid()]);
    parent.storm_then(&snoop, || snoop.signal(Signal::INT));
    let records = whole(snoop);
    assert_eq!(count(&records, "exec", "m-storm") as u64 + lost(&records), 2000);
}

/// Helpers are on a ring buffer of their own, and yet not before what came before them.
#[test]
fn a_backlog_is_shown_in_the_order_of_time() {
    let _rings = rings_to_ourselves();
    let parent = Parent::of_a_storm(1500, 100);
    let ppid = parent.0.id();
    let snoop = attached_quietly(&[]);
    parent.storm_then(&snoop, || {
        stdout_of(system("nsenter").args(["--version", "m-last-of-all"]));
        snoop.signal(Signal::INT);
    });
    let records = whole(snoop);
    let is_of =
        |marker: &'static str| move |record: &Value| record["args"].to_string().contains(marker);
    let last = records.iter().rposition(|one| one["ppid"] == ppid && is_of("m-storm")(one));
    let helper = records.iter().position(is_of("m-last-of-all"));
    assert!(last.is_some() && last < helper, "{last:?} {helper:?} of {}", records.len());
}

#[test]
fn a_loss_just_before_the_end_is_told() {
    // The look once a second may come before the signal is seen, but hardly each time.
    for _ in 0..4 {
        let parent = Parent::of_a_storm(300, 15_000);
        let snoop = attached_quietly(&["-P", &parent.pid()]);
        parent.storm_then(&snoop, || snoop.signal(Signal::INT));
        let records = whole(snoop);
        let (shown, lost) = (count(&records, "exec", "m-storm"), lost(&records));
        assert!(lost > 0, "{shown} shown");
        assert_eq!(shown as u64 + lost, 300);
    }
}

#[test]
fn what_is_filtered_out_takes_no_room() {
    let wanted = Parent::of_a_storm(1, 10);
    let pid = wanted.pid();
    let snoops = [&["-n", "tru"][..], &["-u", "65534"], &["-P", &pid]].map(attached_quietly);
    for snoop in &snoops {
        snoop.signal(Signal::STOP);
    }
    Parent::of_a_storm(300, 15_000).go();
    wanted.go();
    run_as(65534, "/bin/true", &["m-storm"]);
    for snoop in snoops {
        snoop.signal(Signal::CONT);
        eventually("what is wanted", || {
            (count(&records(&snoop), "exec", "m-storm") > 0).then_some(())
        });
        snoop.signal(Signal::INT);
        let records = whole(snoop);
        assert_eq!((count(&records, "exec", "m-storm"), lost(&records)), (1, 0));
    }
}

#[test]
fn helpers_are_not_lost_in_a_storm_that_loses_others() {
    let _rings = rings_to_ourselves();
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
    for round in 0..5 {
        let mark = format!("m-helper-{round}");
        eventually(&mark, || (count(&records(&snoop), "exec", &mark) == 2).then_some(()));
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
