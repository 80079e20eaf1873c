//! A failed exec without its entry in the map of the kernel programs.

use std::process::Command;

use crate::common::eventually;
use serde_json::{Value, json};

use crate::common::running::Running;
use crate::support::bpf_maps::Map;
use crate::support::exec::start_exec_json;
use crate::support::fixture::run_odd_exec;
use crate::support::guarded::Guarded;
use crate::support::records::{records, wait_for_record};

/// Tries to execute the program. While the caller waits for the answer, `meanwhile` runs.
fn refuse(guarded: &Guarded, meanwhile: impl FnOnce()) {
    std::thread::scope(|scope| {
        let spawned = scope.spawn(|| Command::new(guarded.path()).arg("m-guarded").spawn());
        let caller = guarded.caller();
        meanwhile();
        caller.refuse();
        let error = spawned.join().unwrap().unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::PermissionDenied);
    });
}

/// Removes the entries of all calls.
fn evict(snoop: &Running) {
    Map::of(snoop, "EXECS_UNDER_WAY").clear();
}

fn guarded(snoop: &Running) -> usize {
    let all = records(snoop);
    all.iter().filter(|record| record["args"].to_string().contains("m-guarded")).count()
}

#[test]
fn a_failed_exec_without_its_entry_is_shown_without_what_was_passed() {
    let snoop = start_exec_json(&["-x"]);
    let program = Guarded::new("guarded");
    refuse(&program, || {});
    eventually("the failed exec", || (guarded(&snoop) == 1).then_some(()));
    refuse(&program, || evict(&snoop));
    let own = std::process::id();
    let record = wait_for_record(&snoop, "the second one", |record| {
        record["ppid"] == own && record["ret"] == -1 && record["filename"].is_null()
    });
    assert_eq!((&record["args"], &record["args_unreadable"]), (&json!([]), &json!(true)));
    assert!(!records(&snoop).iter().any(|record| record["type"] == "lost"));
}

/// The kernel asks seccomp(2) before it fires `sys_enter`, and fires `sys_exit` all the same.
#[test]
fn an_exec_that_seccomp_refuses_is_shown_without_what_was_passed() {
    let snoop = start_exec_json(&["-x"]);
    let pid = run_odd_exec(&["seccomp", "/no/such", "must-fail"]);
    let record = wait_for_record(&snoop, "the failed exec", |record| {
        record["pid"] == pid && record["ret"] == -i64::from(libc::EXDEV)
    });
    assert_eq!((&record["filename"], &record["args"]), (&Value::Null, &json!([])));
    assert_eq!((&record["comm"], &record["args_unreadable"]), (&json!("odd-exec"), &json!(true)));
    assert!(!records(&snoop).iter().any(|record| record["type"] == "lost"));
}
