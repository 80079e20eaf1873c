//! The cases, on this kernel.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::cases;
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
    cases::assert_all_seen(&records(&snoop));
}

#[test]
fn an_empty_argv_is_shown_as_the_kernel_made_it() {
    let snoop = attached(&[]);
    Command::new(fixture()).args(["no-argv", "/proc/self/exe"]).status().unwrap();
    let record = eventually("the record", || {
        records(&snoop).into_iter().find(|record| record["filename"] == "/proc/self/exe")
    });
    // Since 5.18 the kernel puts one empty argument where there was none.
    assert!(
        record["args"] == serde_json::json!([""]) || record["args"] == serde_json::json!([]),
        "{record}"
    );
}

#[test]
fn unreadable_arguments_of_a_failed_exec_are_marked() {
    let snoop = attached(&["-x"]);
    Command::new(fixture()).args(["unfaulted", "/no/such", "must-fail"]).status().unwrap();
    let record = eventually("the record", || {
        let records = records(&snoop);
        records.into_iter().find(|record| record["filename"] == "/no/such" && record["ret"] == -2)
    });
    // The array of pointers is on the same page: not even their number is known.
    assert_eq!(record["args_unreadable"], true, "{record}");
    assert_eq!(record["args"], serde_json::json!([]));
}

#[test]
fn beyond_64_kib_the_record_says_how_much_there_was() {
    let snoop = attached(&[]);
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
    assert_eq!(record["args"][3].as_str().unwrap().len(), 64 * 1024 - 22);
}
