//! A reader that cannot keep up: lost records are counted exactly, and those of nsenter and socat are
//! not lost.

use std::io::Write as _;
use std::process::{Command, Stdio};

use rustix::process::Signal;
use serde_json::Value;

use crate::common::running::Running;
use crate::common::{WaitInTime as _, eventually, pfsnoop, stdout_of, system};
use crate::support::exclusive::exclusive_ring_buffers;
use crate::support::exec::{run_as, start_exec, start_exec_json};
use crate::support::fixture::odd_exec;
use crate::support::records::{parse, records};

/// `pfsnoop` with these options and JSON, attached before anything passes its filter.
fn attached(args: &[&str]) -> Running {
    Running::start_attached(pfsnoop(args).args(["-o", "json", "-v"]))
}

/// Every record of a run that ends by itself.
fn all_records(mut snoop: Running) -> Vec<Value> {
    assert!(snoop.wait().success());
    parse(&snoop.all_stdout())
}

/// A shell that runs the fixture many times. Tests trace only its children.
struct Storm(std::process::Child);

impl Storm {
    /// A storm of so many execs, each with so many bytes of arguments. It waits for its start.
    fn new(count: usize, bytes: usize) -> Self {
        let script = "read go; long=$(printf \"%0$2d\" 0); \
            for i in $(seq \"$0\"); do \"$1\" exit 0 $long m-storm; done; read end";
        let mut bash = Command::new("bash");
        bash.args(["-c", script, &count.to_string()]).arg(odd_exec()).arg(bytes.to_string());
        Self(bash.stdin(Stdio::piped()).spawn().unwrap())
    }

    fn pid(&self) -> String {
        self.0.id().to_string()
    }

    /// Runs the storm to its end while the reader is stopped.
    fn run_while_stopped(self, snoop: &Running) {
        self.run_while_stopped_then(snoop, || {});
    }

    /// Runs the storm to its end.
    fn run(mut self) {
        self.0.stdin.take().unwrap().write_all(b"go\n").unwrap();
        self.0.wait_in_time();
    }

    /// Runs the storm while the reader is stopped, then calls `then`, then lets the reader go on.
    fn run_while_stopped_then(self, snoop: &Running, then: impl FnOnce()) {
        snoop.signal(Signal::STOP);
        self.run();
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
fn shown_and_lost_records_add_up() {
    // The ring buffer holds about a hundred of these records.
    let storm = Storm::new(500, 15_000);
    let before = jiff::Timestamp::now();
    let snoop = attached(&["-P", &storm.pid()]);
    storm.run_while_stopped(&snoop);
    eventually("the loss", || (lost(&records(&snoop)) > 0).then_some(()));
    snoop.signal(Signal::INT);
    let records = all_records(snoop);
    let (shown, lost) = (count(&records, "exec", "m-storm"), lost(&records));
    assert!(shown > 50 && lost > 100, "{shown} shown, {lost} lost");
    assert_eq!(shown as u64 + lost, 500);
    let last = records.iter().rev().find(|record| record["type"] == "lost").unwrap();
    assert_eq!(last["total"], lost);
    let time: jiff::Timestamp = last["time"].as_str().unwrap().parse().unwrap();
    assert!(before <= time && time <= jiff::Timestamp::now(), "{last}");
}

#[test]
fn a_backlog_is_shown_before_the_exit() {
    // The backlog takes several batches to read.
    let storm = Storm::new(2000, 100);
    let snoop = attached(&["-P", &storm.pid()]);
    storm.run_while_stopped_then(&snoop, || snoop.signal(Signal::INT));
    let records = all_records(snoop);
    assert_eq!(count(&records, "exec", "m-storm") as u64 + lost(&records), 2000);
}

/// nsenter and socat have a ring buffer of their own. Their rows still come in the order of time.
#[test]
fn a_backlog_is_shown_in_the_order_of_time() {
    let _exclusive = exclusive_ring_buffers();
    let storm = Storm::new(1500, 100);
    let ppid = storm.0.id();
    let snoop = attached(&[]);
    storm.run_while_stopped_then(&snoop, || {
        stdout_of(system("nsenter").args(["--version", "m-last-of-all"]));
        snoop.signal(Signal::INT);
    });
    let records = all_records(snoop);
    let is_of =
        |marker: &'static str| move |record: &Value| record["args"].to_string().contains(marker);
    let last = records.iter().rposition(|one| one["ppid"] == ppid && is_of("m-storm")(one));
    let helper = records.iter().position(is_of("m-last-of-all"));
    assert!(last.is_some() && last < helper, "{last:?} {helper:?} of {}", records.len());
}

#[test]
fn a_loss_just_before_the_exit_is_reported() {
    // Losses are checked once a second. That check may come just before the signal once, but hardly
    // four times.
    for _ in 0..4 {
        let storm = Storm::new(300, 15_000);
        let snoop = attached(&["-P", &storm.pid()]);
        storm.run_while_stopped_then(&snoop, || snoop.signal(Signal::INT));
        let records = all_records(snoop);
        let (shown, lost) = (count(&records, "exec", "m-storm"), lost(&records));
        assert!(lost > 0, "{shown} shown");
        assert_eq!(shown as u64 + lost, 300);
    }
}

#[test]
fn filtered_events_take_no_room_in_the_ring_buffer() {
    let wanted = Storm::new(1, 10);
    let pid = wanted.pid();
    let snoops = [&["-n", "tru"][..], &["-u", "65534"], &["-P", &pid]].map(attached);
    for snoop in &snoops {
        snoop.signal(Signal::STOP);
    }
    Storm::new(300, 15_000).run();
    wanted.run();
    run_as(65534, "/bin/true", &["m-storm"]);
    for snoop in snoops {
        snoop.signal(Signal::CONT);
        eventually("what is wanted", || {
            (count(&records(&snoop), "exec", "m-storm") > 0).then_some(())
        });
        snoop.signal(Signal::INT);
        let records = all_records(snoop);
        assert_eq!((count(&records, "exec", "m-storm"), lost(&records)), (1, 0));
    }
}

#[test]
fn records_of_nsenter_and_socat_survive_a_storm_that_loses_others() {
    let _exclusive = exclusive_ring_buffers();
    let snoop = start_exec_json(&[]);
    let long = "x".repeat(15_000);
    snoop.signal(Signal::STOP);
    for round in 0..5 {
        for _ in 0..100 {
            Command::new(odd_exec()).args(["exit", "0", &long]).status().unwrap();
        }
        let mark = format!("--version m-helper-{round}");
        let words: Vec<&str> = mark.split(' ').collect();
        for helper in ["/usr/bin/nsenter", "/usr/bin/socat"] {
            // Their output and exit codes do not matter.
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
fn text_output_reports_losses_on_stderr_and_in_all_at_the_end() {
    let storm = Storm::new(400, 15_000);
    let mut snoop = start_exec(&["-P", &storm.pid(), "--max-args", "1"]);
    storm.run_while_stopped(&snoop);
    snoop.stderr_line("loss", |line| line.contains("records were lost"));
    let (_, _, stderr) = snoop.interrupt();
    let last = stderr.last().unwrap();
    assert!(
        last.starts_with("pfsnoop: in all, ") && last.ends_with(" records were lost"),
        "{stderr:#?}"
    );
}
