//! Ends of more processes than the kernel programs used to expect.

use std::process::Command;

use crate::common::WaitInTime as _;
use crate::common::pfsnoop;
use crate::common::running::Running;
use crate::common::temp::temp_path;
use crate::support::bpf_maps::Map;
use crate::support::exec::start_exec_json;
use crate::support::records::{records, wait_for_record};

/// The map of the processes with an end to report.
fn expected_ends(snoop: &Running) -> Map {
    Map::of(snoop, "PASSED")
}

/// `pfsnoop exec --exit` for children of this process.
fn start() -> Running {
    start_exec_json(&["-P", &std::process::id().to_string()])
}

/// Pids that no process can have.
const NO_PIDS: std::ops::Range<u32> = 5_000_000..5_070_000;

#[test]
fn the_end_of_an_old_process_is_reported_when_many_are_younger() {
    let snoop = start();
    let mut old = Command::new("/bin/sleep").args(["1000"]).spawn().unwrap();
    let pid = old.id();
    wait_for_record(&snoop, "the exec", |record| record["pid"] == pid);
    let map = expected_ends(&snoop);
    map.add(NO_PIDS.take(20_000));
    old.kill().unwrap();
    old.wait_in_time();
    wait_for_record(&snoop, "its end", |record| record["pid"] == pid && record["type"] == "exit");
    assert!(!records(&snoop).iter().any(|record| record["type"] == "lost"));
}

#[test]
fn an_end_for_which_there_is_no_room_is_counted_as_lost() {
    // bpftool must not pass the filter: its end would make room.
    let program = temp_path("no-room");
    std::fs::copy("/bin/true", &program).unwrap();
    let name = program.file_name().unwrap().to_str().unwrap();
    let name: String = name.chars().take(15).collect();
    let snoop = Running::start_attached(&mut pfsnoop(&["--exit", "-o", "json", "-v", "-n", &name]));
    expected_ends(&snoop).add(NO_PIDS);
    assert!(Command::new(&program).status().unwrap().success());
    std::fs::remove_file(&program).unwrap();
    let lost = wait_for_record(&snoop, "the loss", |record| record["type"] == "lost");
    assert_eq!(lost["events"], 1);
}

/// On this node, there is room for every process.
#[test]
fn there_is_room_for_as_many_ends_as_there_can_be_processes() {
    let number =
        |path: &str| -> u64 { std::fs::read_to_string(path).unwrap().trim().parse().unwrap() };
    let limits = ["/proc/sys/kernel/pid_max", "/proc/sys/kernel/threads-max"].map(number);
    let room = expected_ends(&start()).max_entries();
    assert_eq!(room, limits.into_iter().min().unwrap().min(64 * 1024));
}
