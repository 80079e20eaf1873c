//! JSON records of a process, compared with /proc.

use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::process::{Command, Stdio};

use jiff::Timestamp;
use serde_json::Value;

use crate::common::WaitInTime as _;
use crate::common::running::Running;
use crate::support::cgroup::Cgroup;
use crate::support::exec::start_exec_json;
use crate::support::fixture::{odd_exec, run_odd_exec};
use crate::support::records::wait_for_record;

const CLOCK_TICK_NS: u64 = 10_000_000;

fn record(snoop: &Running, kind: &str, is_it: impl Fn(&Value) -> bool) -> Value {
    wait_for_record(snoop, kind, |record| record["type"] == kind && is_it(record))
}

fn time(record: &Value) -> Timestamp {
    record["time"].as_str().unwrap().parse().unwrap()
}

/// The fields of /proc/PID/stat from the third, the state (proc(5)).
fn stat(pid: u64) -> Vec<u64> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let fields = stat.rsplit(')').next().unwrap().split_whitespace();
    fields.map(|field| field.parse().unwrap_or_default()).collect()
}

/// A process of another user in other namespaces and another cgroup, that waits for its stdin.
fn isolated_process(cgroup: &Cgroup) -> std::process::Child {
    let script = "echo $$ > \"$0/cgroup.procs\"; exec unshare --net --mount --pid --fork \
        setpriv --reuid=65534 --regid=65533 --clear-groups cat";
    let mut sh = Command::new("sh");
    sh.args(["-c", script]).arg(cgroup.path()).stdin(Stdio::piped());
    sh.spawn().unwrap()
}

#[test]
fn records_of_a_process_agree_with_proc() {
    let cgroup = Cgroup::create("records");
    let snoop = start_exec_json(&[]);
    let before = Timestamp::now();
    let mut child = isolated_process(&cgroup);
    let exec = record(&snoop, "exec", |record| record["comm"] == "cat" && record["uid"] == 65534);
    let after = Timestamp::now();
    let pid = exec["pid"].as_u64().unwrap();
    assert_eq!((&exec["tid"], exec["gid"].as_u64()), (&exec["pid"], Some(65533)));
    assert_eq!(exec["ppid"], child.id());
    assert_eq!(exec["parent_comm"], "unshare");
    assert_eq!(exec["cgroup_id"], std::fs::metadata(cgroup.path()).unwrap().ino());
    for (namespace, key) in [("net", "netns"), ("mnt", "mntns"), ("pid", "pidns")] {
        let inode = |process: &str| {
            let path = format!("/proc/{process}/ns/{namespace}");
            std::fs::metadata(Path::new(&path)).unwrap().ino()
        };
        assert_eq!(exec[key], inode(&pid.to_string()), "{key}");
        assert_ne!(exec[key], inode("self"), "{key}");
    }
    assert!(before <= time(&exec) && time(&exec) <= after, "{before} to {after}: {exec}");
    let (id_pid, start) = exec["exec_id"].as_str().unwrap().split_once('-').unwrap();
    assert_eq!(id_pid, pid.to_string());
    let start: u64 = start.parse().unwrap();
    assert_eq!(start / CLOCK_TICK_NS, stat(pid)[19], "start time, proc(5)'s field 22");

    drop(child.stdin.take());
    child.wait_in_time();
    let exit = record(&snoop, "exit", |record| record["pid"] == pid);
    let end = Timestamp::now();
    assert_eq!(exit["exec_id"], exec["exec_id"]);
    assert_eq!(
        (&exit["comm"], &exit["uid"], &exit["ppid"]),
        (&exec["comm"], &exec["uid"], &exec["ppid"])
    );
    assert!(time(&exec) < time(&exit) && time(&exit) <= end, "{exit}");
    // The duration counts from the process's start: its fork, before its exec.
    let lived = i128::from(exit["duration_ns"].as_u64().unwrap());
    let since_exec = time(&exit).duration_since(time(&exec)).as_nanos();
    let at_most = end.duration_since(before).as_nanos();
    // Both times come from the same clock, except for a step of the wall clock in between.
    assert!(lived + 1_000_000 > since_exec && lived < at_most, "{since_exec} to {at_most}: {exit}");
}

#[test]
fn a_failed_exec_has_the_tid_of_the_thread_that_called_it() {
    let snoop = start_exec_json(&["-x"]);
    let pid = run_odd_exec(&["thread", "/no/such", "must-fail"]);
    let exec =
        record(&snoop, "exec", |record| record["pid"] == pid && record["filename"] == "/no/such");
    assert_ne!(exec["tid"], exec["pid"]);
    assert_eq!(exec["comm"], odd_exec().file_name().unwrap().to_str().unwrap(), "the caller's");
    assert_eq!(exec["args_unreadable"], false);
}
