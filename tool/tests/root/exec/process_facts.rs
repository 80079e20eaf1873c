//! What JSON records say of a process, beside what /proc says of it.

use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::process::{Command, Stdio};

use jiff::Timestamp;
use serde_json::Value;

use crate::exec::unusual_execs::{attached, fixture, records, run};
use crate::support::cgroup::Cgroup;
use crate::support::{eventually, running::Running};

const CLOCK_TICK_NS: u64 = 10_000_000;

fn record(snoop: &Running, kind: &str, is_it: impl Fn(&Value) -> bool) -> Value {
    let wanted = |record: &Value| record["type"] == kind && is_it(record);
    eventually(kind, || records(snoop).into_iter().find(wanted))
}

fn time(record: &Value) -> Timestamp {
    record["time"].as_str().unwrap().parse().unwrap()
}

/// Fields of /proc/PID/stat from the state on, which is the third (proc(5)).
fn stat(pid: u64) -> Vec<u64> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let fields = stat.rsplit(')').next().unwrap().split_whitespace();
    fields.map(|field| field.parse().unwrap_or_default()).collect()
}

/// A process of another user, in a cgroup and namespaces of its own, that waits for its stdin.
fn stranger(cgroup: &Cgroup) -> std::process::Child {
    let script = "echo $$ > \"$0/cgroup.procs\"; exec unshare --net --mount --pid --fork \
        setpriv --reuid=65534 --regid=65533 --clear-groups cat";
    let mut sh = Command::new("sh");
    sh.args(["-c", script]).arg(cgroup.path()).stdin(Stdio::piped());
    sh.spawn().unwrap()
}

#[test]
fn a_process_is_who_proc_says_it_is() {
    let cgroup = Cgroup::create("records");
    let snoop = attached(&[]);
    let before = Timestamp::now();
    let mut child = stranger(&cgroup);
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
    child.wait().unwrap();
    let exit = record(&snoop, "exit", |record| record["pid"] == pid);
    let end = Timestamp::now();
    assert_eq!(exit["exec_id"], exec["exec_id"]);
    assert_eq!(
        (&exit["comm"], &exit["uid"], &exit["ppid"]),
        (&exec["comm"], &exec["uid"], &exec["ppid"])
    );
    assert!(time(&exec) < time(&exit) && time(&exit) <= end, "{exit}");
    // From its start, which was a fork before its exec.
    let lived = i128::from(exit["duration_ns"].as_u64().unwrap());
    let since_exec = time(&exit).duration_since(time(&exec)).as_nanos();
    let at_most = end.duration_since(before).as_nanos();
    // The two times are of one clock, up to a step of the wall's while they were taken.
    assert!(lived + 1_000_000 > since_exec && lived < at_most, "{since_exec} to {at_most}: {exit}");
}

#[test]
fn a_failed_exec_is_its_threads() {
    let snoop = attached(&["-x"]);
    let pid = run(&["thread", "/no/such", "must-fail"]);
    let exec =
        record(&snoop, "exec", |record| record["pid"] == pid && record["filename"] == "/no/such");
    assert_ne!(exec["tid"], exec["pid"]);
    assert_eq!(exec["comm"], fixture().file_name().unwrap().to_str().unwrap(), "the caller's");
    assert_eq!(exec["args_unreadable"], false);
}
