//! The cases, on this kernel.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::support::exec_cases as cases;
use crate::support::{eventually, pfsnoop, running::Running};

/// The fixture, which cargo builds beside the binary.
pub fn fixture() -> PathBuf {
    let bin = Path::new(env!("CARGO_BIN_EXE_pfsnoop"));
    bin.with_file_name("examples").join("odd-exec")
}

/// Records so far.
pub fn records(snoop: &Running) -> Vec<Value> {
    let lines = snoop.stdout();
    lines.iter().map(|line| serde_json::from_str(line).expect(line)).collect()
}

/// `pfsnoop` with these options and JSON, once it is known to be attached.
pub fn attached(args: &[&str]) -> Running {
    let snoop = Running::start(pfsnoop(&["--exit", "-o", "json"]).args(args));
    eventually("its first record", || {
        Command::new(fixture()).args(["exit", "0"]).status().unwrap();
        (!snoop.stdout().is_empty()).then_some(())
    });
    snoop
}

/// Runs the fixture to its end; returns the pid that it had.
pub fn run(args: &[&str]) -> u32 {
    let mut child = Command::new(fixture()).args(args).spawn().unwrap();
    child.wait().unwrap();
    child.id()
}

#[test]
fn every_exec_is_seen_whole_with_its_end() {
    let snoop = attached(&["-x"]);
    for case in cases::all() {
        let output = Command::new(fixture()).args(&case.run).output().unwrap();
        assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{:?}", case.run);
    }
    let marked = |record: &Value| record["args"].to_string().contains("must-fail-at");
    eventually("the last case", || records(&snoop).iter().any(marked).then_some(()));
    let pid = Command::new(fixture()).args(["exit", "0"]).spawn().unwrap().wait_with_output();
    pid.unwrap();
    eventually("its end", || {
        let records = records(&snoop);
        let last = records.iter().rev().find(|record| marked(record))?["exec_id"].clone();
        records
            .iter()
            .any(|record| record["type"] == "exit" && record["exec_id"] == last)
            .then_some(())
    });
    cases::assert_seen_all(&cases::all(), &records(&snoop));
}

#[test]
fn threads_that_end_together_are_one_end() {
    const RUNS: usize = 500;
    for filter in [&["-l", "odd-exec"][..], &["-n", "odd-exec"], &[]] {
        let snoop = attached(filter);
        for _ in 0..RUNS {
            Command::new(fixture()).args(["end-together", "m-together"]).status().unwrap();
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
        let records: Vec<Value> =
            lines.iter().map(|line| serde_json::from_str(line).unwrap()).collect();
        for exec in records.iter().filter(ours) {
            assert_eq!(ends_of(&records, exec), 1, "{filter:?}: {exec}");
        }
    }
}

#[test]
fn records_have_the_contracts_keys() {
    let snoop = attached(&[]);
    let keys_of = |kind: &str| {
        let record =
            eventually(kind, || records(&snoop).into_iter().find(|record| record["type"] == kind));
        let keys = record.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
        keys.join(" ")
    };
    assert_eq!(
        keys_of("exec"),
        "args args_bytes args_truncated args_unreadable cgroup_id comm exec_id filename gid mntns \
         netns parent_comm pid pidns ppid ret tid time type uid"
    );
    assert_eq!(keys_of("exit"), "comm duration_ns exec_id exit_code pid ppid time type uid");
}

#[test]
fn an_empty_argv_is_shown_as_the_kernel_made_it() {
    let snoop = attached(&[]);
    let pid = run(&["no-argv", "/proc/self/exe"]);
    let record = eventually("the record", || {
        let is_it = |record: &Value| record["pid"] == pid && record["filename"] == "/proc/self/exe";
        records(&snoop).into_iter().find(is_it)
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

#[test]
fn unreadable_arguments_of_a_failed_exec_are_marked() {
    let snoop = attached(&["-x"]);
    let pid = run(&["unfaulted", "/no/such", "must-fail"]);
    let record = eventually("the record", || {
        let is_it = |record: &Value| record["pid"] == pid && record["ret"] == -2;
        records(&snoop).into_iter().find(is_it)
    });
    assert_eq!(record["filename"], "/no/such");
    // The array of pointers is on the same page: not even their number is known.
    assert_eq!(record["args_unreadable"], true, "{record}");
    assert_eq!(record["args_truncated"], false, "unreadable, not too long");
    assert_eq!(record["args"], serde_json::json!([]));
}

#[test]
fn one_unreadable_argument_of_a_failed_exec_is_marked() {
    let snoop = attached(&["-x"]);
    let pid = run(&["unfaulted-last", "/no/such", "", "must-fail"]);
    let record = eventually("the record", || {
        let is_it = |record: &Value| record["pid"] == pid && record["ret"] == -2;
        records(&snoop).into_iter().find(is_it)
    });
    assert_eq!(record["args"], serde_json::json!(["/no/such", "", null]));
    assert_eq!(record["args_unreadable"], true, "{record}");
}

#[test]
fn beyond_64_kib_the_record_says_how_much_there_was() {
    let mut snoop = attached(&["-v"]);
    Command::new(fixture())
        .args(["long", "/proc/self/exe", "100000", "m-longer"])
        .status()
        .unwrap();
    let record = eventually("the record", || {
        let records = records(&snoop);
        records.into_iter().find(|record| record["args_truncated"] == true)
    });
    let all = "/proc/self/exe exit 0 ".len() + 100_001 + "m-longer".len() + 1;
    assert_eq!(record["args_bytes"], all);
    // What the kernel programs log (aya-log) is shown with -v.
    let kept = format!("pid {}: 65536 of {all} bytes of arguments are kept", record["pid"]);
    snoop.stderr_line("the kernel programs' word about it", |line| line.contains(&kept));
    assert_eq!(record["args"][3].as_str().unwrap().len(), 64 * 1024 - 22);
}

#[test]
fn a_failed_exec_with_more_arguments_than_are_read_says_so() {
    let snoop = attached(&["-x"]);
    let pid = run(&["many", "/no/such", "9000", "must-fail"]);
    let record = eventually("the record", || {
        let is_it = |record: &Value| record["pid"] == pid && record["ret"] == -2;
        records(&snoop).into_iter().find(is_it)
    });
    assert_eq!(record["args_truncated"], true);
    // 33 programs of 256.
    assert_eq!(record["args"].as_array().unwrap().len(), 8448);
}

#[test]
fn one_long_argument_of_a_failed_exec_is_marked_when_it_is_cut() {
    const ROOM: usize = 64 * 1024 - 1;
    let snoop = attached(&["-x"]);
    for (len, is_cut) in [(ROOM, false), (ROOM + 1, true)] {
        let pid = run(&["long", "/no/such", &len.to_string(), "must-fail"]);
        let record = eventually("the record", || {
            let is_it = |record: &Value| record["pid"] == pid && record["ret"] == -2;
            records(&snoop).into_iter().find(is_it)
        });
        assert_eq!(record["args_truncated"], is_cut, "{len}");
        assert_eq!(record["args"][3].as_str().unwrap().len(), ROOM);
    }
}
