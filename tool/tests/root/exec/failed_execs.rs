//! Failed execs are shown with what the caller passed, also if its memory has changed since.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::common::running::Running;
use crate::common::temp::temp_path;
use crate::common::{WaitInTime as _, pfsnoop, system};
use crate::support::exec::{start_exec, start_exec_json};
use crate::support::fixture::{late_exec, odd_exec, run_odd_exec};
use crate::support::guarded::{Caller, Guarded};
use crate::support::records::{records, wait_for_record};

/// Runs the fixture to its end; returns the record of the exec that fails, and the file.
fn failed(snoop: &Running, way: &str, mark: &str) -> (Value, String) {
    let file = temp_path(way).into_os_string().into_string().unwrap();
    let mut child = Command::new(late_exec()).args([way, &file, mark]).spawn().unwrap();
    let pid = child.id();
    child.wait_in_time();
    std::fs::remove_file(&file).unwrap();
    let is_it = |record: &Value| record["pid"] == pid && record["ret"].as_i64() < Some(0);
    (wait_for_record(snoop, "the failed exec", is_it), file)
}

#[test]
fn arguments_that_the_new_program_has_replaced_are_those_that_were_passed() {
    let snoop = start_exec_json(&["-x"]);
    for way in ["replaced", "replaced-by-thread"] {
        let (record, file) = failed(&snoop, way, "m-replaced");
        assert_eq!(record["filename"], file, "{way}");
        assert_eq!(record["args"], json!([file, "passed", "m-replaced"]), "{way}");
        assert_eq!(record["args_unreadable"], false, "{way}");
        assert_eq!(record["comm"], "late-exec", "{way}: the caller's name");
        assert_eq!(record["pid"] == record["tid"], way == "replaced", "{record}");
    }
    assert!(!records(&snoop).iter().any(|record| record["type"] == "lost"));
}

#[test]
fn arguments_are_known_when_there_is_no_memory_for_the_new_program() {
    let mut snoop = start_exec(&["-x", "-l", "m-no-memory", "-n", "^sh$"]);
    let exec = "ulimit -v 4000; exec \"$0\" --version m-no-memory";
    let large = pfsnoop(&[]).get_program().to_owned();
    system("sh").args(["-c", exec]).arg(&large).status().unwrap();
    let row = format!("-12 {} --version m-no-memory", large.display());
    snoop.stdout_line("row with the caller's name", |line| line.ends_with(&row));
}

#[test]
fn what_was_replaced_before_it_could_be_read_is_marked() {
    let snoop = start_exec_json(&["-x"]);
    let (record, _) = failed(&snoop, "replaced-unread", "m-unread");
    assert_eq!(record["filename"], Value::Null, "{record}");
    assert_eq!(record["args"], json!([]));
    assert_eq!(record["args_unreadable"], true);
}

/// A thread changes the arguments while another one is inside execve(2). Asserts that the record has
/// those that were passed.
fn assert_unchanged(snoop: &Running, program: &Guarded) {
    let path = program.path().to_str().unwrap();
    let mut child = Command::new(late_exec())
        .args(["changing", path, "m-changing"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let caller = program.caller();
    child.stdin.take().unwrap().write_all(b"change\n").unwrap();
    let mut changed = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut changed).unwrap();
    assert_eq!(changed, "changed\n");
    caller.refuse();
    child.wait_in_time();
    let pid = child.id();
    let record = wait_for_record(snoop, "the failed exec", |record| {
        record["pid"] == pid && record["ret"] == -i64::from(libc::EPERM)
    });
    assert_eq!(record["filename"], path);
    assert_eq!(record["args"], json!([path, "passed", "m-changing"]));
}

#[test]
fn arguments_that_a_thread_changes_during_the_call_are_those_that_were_passed() {
    let snoop = start_exec_json(&["-x"]);
    assert_unchanged(&snoop, &Guarded::new("changing"));
}

/// More calls at a time than there are slots for: the others are read at their return.
#[test]
fn many_calls_under_way_have_their_arguments() {
    let count = 100 + std::thread::available_parallelism().unwrap().get();
    let snoop = start_exec_json(&["-x"]);
    let program = Guarded::new("many");
    for round in ["m-first", "m-second"] {
        let spawn =
            |n: usize| drop(Command::new(program.path()).args([round, &n.to_string()]).spawn());
        std::thread::scope(|scope| {
            (0..count).for_each(|n| drop(scope.spawn(move || spawn(n))));
            let callers: Vec<_> = (0..count).map(|_| program.caller()).collect();
            callers.into_iter().for_each(Caller::refuse);
        });
        let path = program.path().to_str().unwrap();
        for n in 0..count {
            let args = json!([path, round, n.to_string()]);
            wait_for_record(&snoop, round, |record| record["args"] == args);
        }
    }
    assert_unchanged(&snoop, &program);
}

#[test]
fn a_call_that_does_not_fail_or_is_killed_gives_its_slot_back() {
    let snoop = start_exec_json(&["-x"]);
    let program = Guarded::new("killed");
    for _ in 0..50 + std::thread::available_parallelism().unwrap().get() {
        run_odd_exec(&["exit", "0"]);
        run_odd_exec(&["thread-beside-others", "/proc/self/exe", "exit", "0", "m-thread"]);
        let mut killed = Command::new(odd_exec())
            .args(["plain", program.path().to_str().unwrap()])
            .spawn()
            .unwrap();
        let caller = program.caller();
        killed.kill().unwrap();
        killed.wait_in_time();
        // Without an answer, the kernel keeps the question, and takes a later answer for this one.
        caller.refuse();
    }
    assert_unchanged(&snoop, &program);
}

/// The file name and the arguments are on a page that is in memory only since the kernel has read the
/// file name.
#[test]
fn what_could_not_be_read_at_first_is_read_at_the_return() {
    let snoop = start_exec_json(&["-x"]);
    let program = Guarded::new("touched");
    let path = program.path().to_str().unwrap().to_owned();
    std::thread::scope(|scope| {
        let run = scope.spawn(|| run_odd_exec(&["unfaulted-name", &path, "must-fail", "m-late"]));
        program.caller().refuse();
        let pid = run.join().unwrap();
        let record = wait_for_record(&snoop, "the failed exec", |record| {
            record["pid"] == pid && record["ret"] == -i64::from(libc::EPERM)
        });
        assert_eq!(record["filename"], *path);
        assert_eq!(record["args"], json!([path, "must-fail", "m-late"]));
        assert_eq!(record["args_unreadable"], false);
    });
}

/// The new program's name, which the kernel gives the process before the exec fails, passes no filter.
#[test]
fn a_late_failure_is_filtered_by_the_callers_name() {
    let snoop = Running::start_attached(&mut pfsnoop(&["-x", "-v", "-n", "renamed"]));
    let by_caller = start_exec(&["-x", "-n", "late-exec"]);
    let file = temp_path("renamed").into_os_string().into_string().unwrap();
    let mut command = Command::new(late_exec());
    command.args(["replaced", &file, "m-renamed"]).status().unwrap();
    std::fs::remove_file(&file).unwrap();
    let mut by_caller = by_caller;
    by_caller.stdout_line("row", |line| line.contains("m-renamed") && line.contains(" -22 "));
    let (_, stdout, stderr) = snoop.interrupt();
    assert!(!stdout.iter().any(|line| line.contains("m-renamed")), "{stdout:#?}");
    assert!(!stderr.iter().any(|line| line.contains("lost")), "{stderr:#?}");
}
