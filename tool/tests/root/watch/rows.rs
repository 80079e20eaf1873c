//! The rows of `pfsnoop watch` in a pipe, the table at the end, and when it ends.

use std::net::{TcpListener, TcpStream};
use std::process::Command;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rustix::process::Signal;

use crate::common::WaitInTime as _;
use crate::common::output;
use crate::common::running::Running;
use crate::support::helper::{nsenter_socat, request_page, run_nsenter_socat, spawn_piped};
use crate::support::netns::in_netns_of;
use crate::support::pod::DemoPod;
use crate::support::records::{sessions, states};
use crate::support::schema::parse_record;
use crate::support::watch::{watch_json, watch_text};

#[test]
fn rows_in_a_pipe_and_a_table_at_the_end() {
    let pod = DemoPod::start();
    let mut watch = watch_text(&["--port", "8080"]);
    let (_, page) = request_page(spawn_piped(&mut nsenter_socat(pod.pause, 8080)));
    let target = format!("net:[{}]", pod.netns());
    let row = watch.stdout_line("end", |line| line.contains(" ok ") && line.contains(&target));
    assert!(row.ends_with("nsenter+socat"), "{row}");
    assert_row(
        &without_process(&row, &pod),
        "ok",
        &target,
        "8080",
        ["18", &page.len().to_string()],
    );
    let row = watch.stdout_line("start", |line| line.contains("started") && line.contains(&target));
    // nsenter has not entered yet.
    let claimed = format!("{target}?");
    assert_row(&without_process(&row, &pod), "started", &claimed, "8080", ["-", "-"]);
    assert_eq!(rows_of(&watch.stdout(), &target).len(), 2, "a start and an end");
    // Another port is filtered out.
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    run_nsenter_socat(pod.pause, free);
    let (status, stdout, stderr) = watch.interrupt();
    assert!(status.success() && stderr.is_empty(), "{stderr:?}");
    assert!(!stdout.iter().any(|line| line.contains("refused")), "{stdout:#?}");
    assert!(!stdout.iter().any(|line| line.contains('\x1b')), "no terminal: {stdout:#?}");
    let title = stdout.iter().position(|line| line.starts_with("TARGET ")).expect("a table");
    let sums = stdout[title..].iter().find(|line| line.starts_with(&target)).expect("a line");
    let sums = without_process(sums, &pod);
    let words: Vec<_> = sums.split_whitespace().collect();
    assert_eq!(words[1..6], ["8080", "1", "0", "18", &page.len().to_string()], "{sums}");
    assert!(words[6].parse::<f64>().unwrap() > 0.0, "{sums}");
}

/// A line without the name and the pid of the target's process.
fn without_process(line: &str, pod: &DemoPod) -> String {
    let process = format!(" (exe {})", pod.pause);
    assert!(line.contains(&process), "{line}");
    line.replace(&process, "")
}

fn rows_of<'a>(lines: &'a [String], target: &str) -> Vec<&'a String> {
    lines.iter().filter(|line| line.contains(target)).collect()
}

/// Asserts the cells of a row. This thread is the forwarder.
fn assert_row(row: &str, state: &str, target: &str, port: &str, bytes: [&str; 2]) {
    let comm = std::fs::read_to_string("/proc/self/comm").unwrap();
    let words: Vec<_> = row.split_whitespace().collect();
    assert_eq!(words[1..4], [state, target, port], "{row}");
    assert!(row.contains(&format!(" {port} {}", comm.trim())), "{comm}: {row}");
    let rest =
        words.iter().position(|word| *word == "nsenter+socat").expect("how it was forwarded");
    assert_eq!(words[rest - 3..rest - 1], bytes, "{row}");
    let time: Vec<_> = words[0].split(':').map(str::parse::<u8>).collect();
    assert!(time.len() == 3 && time.iter().all(Result::is_ok), "{row}");
    let seconds = words[rest - 1].parse::<f64>();
    assert!(if state == "started" { seconds.is_err() } else { seconds.unwrap() > 0.0 }, "{row}");
}

#[test]
fn a_failed_session_has_its_outcome_in_its_row_and_in_the_table() {
    let pod = DemoPod::start();
    let target = format!("net:[{}]", pod.netns());
    let mut watch = watch_text(&[]);
    run_nsenter_socat(pod.pause, 9);
    let row = watch.stdout_line("end", |line| line.contains("refused") && line.contains(&target));
    assert!(
        row.ends_with(" nsenter+socat nothing listens at 127.0.0.1:9 inside the target"),
        "{row}"
    );
    // This session stays open until after the end of the watch.
    let mut open = spawn_piped(&mut nsenter_socat(pod.pause, 8080));
    watch.stdout_line("start", |line| line.contains("8080") && line.contains(&target));
    let (_, stdout, _) = watch.interrupt();
    open.kill().unwrap();
    open.wait_in_time();
    let sums = rows_of(&stdout, &target).pop().expect("a line of the table").to_owned();
    assert!(sums.starts_with(&format!("{target} ")) && sums.contains(" 9 "), "{sums}");
    assert!(sums.contains(" 1 1 refused "), "{sums}");
    assert!(stdout.last().unwrap().ends_with(" still open"), "{stdout:#?}");
}

/// Stops one reader at a time: each would lose records when another's ring buffer is filled.
fn exclusive_stopped_reader() -> MutexGuard<'static, ()> {
    static ONE: Mutex<()> = Mutex::new(());
    ONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Several sessions close at the same time.
#[test]
fn no_more_sessions_than_the_count_are_reported() {
    let _exclusive = exclusive_stopped_reader();
    let pod = DemoPod::start();
    let mut counted = watch_json(&["--port", "7098", "--count", "2"]);
    counted.signal(Signal::STOP);
    for _ in 0..4 {
        run_nsenter_socat(pod.pause, 7098);
    }
    counted.signal(Signal::CONT);
    assert!(counted.wait().success());
    let lines = counted.all_stdout();
    let ends = lines.iter().filter(|line| line.contains("\"closed\""));
    assert_eq!(ends.count(), 2, "{lines:#?}");
}

/// More records wait than the reader takes in one batch.
#[test]
fn sessions_before_the_signal_are_reported() {
    const EACH: usize = 700;
    let _exclusive = exclusive_stopped_reader();
    let pod = DemoPod::start();
    let watch = watch_json(&["--port", "8080"]);
    watch.signal(Signal::STOP);
    in_netns_of(pod.pause, || {
        for _ in 0..EACH {
            drop(TcpStream::connect("127.0.0.1:8080").unwrap());
        }
    });
    // Acknowledgements may be delayed.
    std::thread::sleep(Duration::from_millis(300));
    watch.signal(Signal::INT);
    watch.signal(Signal::CONT);
    let (status, stdout, _) = watch.end();
    assert!(status.success());
    let netns = format!("\"netns\":{}", pod.netns());
    let reported = stdout.iter().filter(|line| line.contains(&netns)).count();
    // Other tests may have filled the ring buffer. Then the loss is reported.
    let is_lost = stdout.iter().any(|line| line.contains("\"lost\""));
    assert!(reported == 3 * EACH || is_lost, "{reported} records");
}

/// A few execs of nsenter with long arguments fill the ring buffer of a reader that is stopped.
#[test]
fn lost_records_are_reported() {
    let _exclusive = exclusive_stopped_reader();
    let storm = |watch: &Running| {
        watch.signal(Signal::STOP);
        let pad = "0".repeat(60_000);
        for _ in 0..40 {
            output(Command::new("nsenter").args(["--version", &pad]));
        }
        watch.signal(Signal::CONT);
    };
    let mut as_json = watch_json(&[]);
    storm(&as_json);
    let lost = as_json.stdout_line("the loss", |line| line.contains("\"lost\""));
    let lost = parse_record(&lost);
    assert!(lost["events"].as_u64().unwrap() > 0 && lost["total"] == lost["events"], "{lost}");
    let mut as_rows = watch_text(&[]);
    storm(&as_rows);
    as_rows.stderr_line("the loss", |line| line.contains(" records were lost since the start"));
    let (status, _, stderr) = as_rows.interrupt();
    assert!(status.success());
    assert_eq!(stderr.len(), 2, "once more at the end: {stderr:#?}");
}

#[test]
fn ends_after_a_count_of_sessions_and_after_a_time() {
    let pod = DemoPod::start();
    let port = "7099";
    let mut counted = watch_json(&["--port", port, "--count", "2"]);
    for _ in 0..2 {
        run_nsenter_socat(pod.pause, 7099);
    }
    assert!(counted.wait().success());
    assert_eq!(states(&sessions(&counted, |_| true)), ["started", "closed", "started", "closed"]);
    let mut timed = watch_json(&["--duration", "0.3"]);
    assert!(timed.wait().success());
}
