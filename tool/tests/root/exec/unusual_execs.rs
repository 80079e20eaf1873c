//! Unusual execs on this kernel: every one is seen, with all of its arguments and its exit.

use std::process::Command;

use serde_json::Value;

use crate::common::eventually;
use crate::common::running::Running;
use crate::support::exec::start_exec_json;
use crate::support::exec_cases;
use crate::support::fixture::{odd_exec, run_odd_exec};
use crate::support::records::{keys, parse, records, wait_for_record};

#[test]
fn every_exec_is_seen_with_all_arguments_and_its_exit() {
    let snoop = start_exec_json(&["-x"]);
    for case in exec_cases::all() {
        let output = Command::new(odd_exec()).args(&case.run).output().unwrap();
        assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{:?}", case.run);
    }
    let marked = |record: &Value| record["args"].to_string().contains("must-fail-at");
    eventually("the last case", || records(&snoop).iter().any(marked).then_some(()));
    run_odd_exec(&["exit", "0"]);
    eventually("its end", || {
        let records = records(&snoop);
        let last = records.iter().rev().find(|record| marked(record))?["exec_id"].clone();
        records
            .iter()
            .any(|record| record["type"] == "exit" && record["exec_id"] == last)
            .then_some(())
    });
    exec_cases::assert_seen_all(&exec_cases::all(), &records(&snoop));
}

#[test]
fn threads_that_exit_together_make_one_exit_record() {
    const RUNS: usize = 500;
    for filter in [&["-l", "odd-exec"][..], &["-n", "odd-exec"], &[]] {
        let snoop = start_exec_json(filter);
        for _ in 0..RUNS {
            Command::new(odd_exec()).args(["end-together", "m-together"]).status().unwrap();
        }
        let ours = |record: &&Value| record["args"].to_string().contains("m-together");
        let ends_of = |records: &[Value], exec: &Value| {
            let ends = records.iter().filter(|record| record["type"] == "exit");
            ends.filter(|end| end["exec_id"] == exec["exec_id"]).count()
        };
        eventually("an end of each", || {
            let records = records(&snoop);
            let execs: Vec<&Value> = records.iter().filter(ours).collect();
            (execs.len() == RUNS && execs.iter().all(|exec| ends_of(&records, exec) > 0))
                .then_some(())
        });
        let (_, lines, _) = snoop.interrupt();
        let records = parse(&lines);
        for exec in records.iter().filter(ours) {
            assert_eq!(ends_of(&records, exec), 1, "{filter:?}: {exec}");
        }
    }
}

#[test]
fn records_have_the_documented_keys() {
    let snoop = start_exec_json(&[]);
    let keys_of = |kind: &str| {
        let record = wait_for_record(&snoop, kind, |record| record["type"] == kind);
        keys(&record).into_iter().collect::<Vec<_>>().join(" ")
    };
    assert_eq!(
        keys_of("exec"),
        "args args_bytes args_truncated args_unreadable cgroup_id comm exec_id filename gid mntns \
         netns parent_comm pid pidns ppid ret tid time type uid"
    );
    assert_eq!(keys_of("exit"), "comm duration_ns exec_id exit_code pid ppid time type uid");
}

#[test]
fn an_empty_argv_is_shown_as_the_kernel_fills_it() {
    let snoop = start_exec_json(&[]);
    let pid = run_odd_exec(&["no-argv", "/proc/self/exe"]);
    let record = wait_for_record(&snoop, "the record", |record| {
        record["pid"] == pid && record["filename"] == "/proc/self/exe"
    });
    // Since 5.18 the kernel puts one empty argument where there was none.
    let release = rustix::system::uname().release().to_string_lossy().into_owned();
    let mut numbers = release.split(['.', '-']).map(|number| number.parse().unwrap_or(0));
    let version: (u32, u32) = (numbers.next().unwrap(), numbers.next().unwrap());
    let args = if version < (5, 18) { serde_json::json!([]) } else { serde_json::json!([""]) };
    assert_eq!(
        [&record["args"], &record["args_bytes"]],
        [&args, &args.as_array().unwrap().len().into()]
    );
}

/// The record of the failed exec of a process.
fn failed_exec(snoop: &Running, pid: u32) -> Value {
    wait_for_record(snoop, "the failed exec", |record| record["pid"] == pid && record["ret"] == -2)
}

#[test]
fn unreadable_arguments_of_a_failed_exec_are_marked() {
    let snoop = start_exec_json(&["-x"]);
    let pid = run_odd_exec(&["unfaulted", "/no/such", "must-fail"]);
    let record = failed_exec(&snoop, pid);
    assert_eq!(record["filename"], "/no/such");
    // The array of pointers is on the same page, so not even the number of arguments is known.
    assert_eq!(record["args_unreadable"], true, "{record}");
    assert_eq!(record["args_truncated"], false, "unreadable, not too long");
    assert_eq!(record["args"], serde_json::json!([]));
}

#[test]
fn one_unreadable_argument_of_a_failed_exec_is_marked() {
    let snoop = start_exec_json(&["-x"]);
    let pid = run_odd_exec(&["unfaulted-last", "/no/such", "", "must-fail"]);
    let record = failed_exec(&snoop, pid);
    assert_eq!(record["args"], serde_json::json!(["/no/such", "", null]));
    assert_eq!(record["args_unreadable"], true, "{record}");
}

#[test]
fn arguments_beyond_64_kib_are_cut_and_their_length_is_reported() {
    let mut snoop = start_exec_json(&["-v"]);
    run_odd_exec(&["long", "/proc/self/exe", "100000", "m-longer"]);
    let record = wait_for_record(&snoop, "the record", |record| record["args_truncated"] == true);
    let all = "/proc/self/exe exit 0 ".len() + 100_001 + "m-longer".len() + 1;
    assert_eq!(record["args_bytes"], all);
    // What the kernel programs log (aya-log) is shown with -v.
    let kept = format!("pid {}: 65536 of {all} bytes of arguments are kept", record["pid"]);
    snoop.stderr_line("the kernel programs' log line", |line| line.contains(&kept));
    assert_eq!(record["args"][3].as_str().unwrap().len(), 64 * 1024 - 22);
}

#[test]
fn a_failed_exec_with_too_many_arguments_is_marked_as_truncated() {
    let snoop = start_exec_json(&["-x"]);
    let pid = run_odd_exec(&["many", "/no/such", "9000", "must-fail"]);
    let record = failed_exec(&snoop, pid);
    assert_eq!(record["args_truncated"], true);
    // 33 BPF programs read 256 arguments each.
    assert_eq!(record["args"].as_array().unwrap().len(), 8448);
}

#[test]
fn a_failed_exec_with_one_long_argument_is_marked_only_when_it_is_cut() {
    const ROOM: usize = 64 * 1024 - 1;
    let snoop = start_exec_json(&["-x"]);
    for (len, is_cut) in [(ROOM, false), (ROOM + 1, true)] {
        let pid = run_odd_exec(&["long", "/no/such", &len.to_string(), "must-fail"]);
        let record = failed_exec(&snoop, pid);
        assert_eq!(record["args_truncated"], is_cut, "{len}");
        assert_eq!(record["args"][3].as_str().unwrap().len(), ROOM);
    }
}
