//! `pfsnoop` in a time namespace: its clock is not the kernel programs' clock.

use std::process::Command;

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use crate::common::running::Running;
use crate::common::{WaitInTime as _, eventually, system};
use crate::support::exec::run;
use crate::support::namespaces::unshared_pfsnoop;
use crate::support::pod::DemoPod;
use crate::support::records::{records, wait_for_record};

/// What unshare(1) adds to `CLOCK_BOOTTIME`, in seconds. The other clocks are of no use to pfsnoop.
const OFFSETS: [&str; 4] = ["-300", "1000", "100000000", "-1"];

/// The options of unshare(1) for a time namespace with that offset.
fn options(offset: &str) -> [&str; 4] {
    ["-T", "--boottime", offset, "--"]
}

/// CPU time that a process has used, in seconds.
fn cpu_seconds(pid: u32) -> f64 {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    // Fields after the comm: the third is the first that is counted here (proc_pid_stat(5)).
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    let ticks = |n: usize| fields[n].parse::<f64>().unwrap();
    (ticks(11) + ticks(12)) / 100.0
}

fn assert_now(record: &Value, what: &str) {
    let time: Timestamp = record["time"].as_str().unwrap().parse().unwrap();
    let off = time.duration_since(Timestamp::now());
    assert!(off.abs() < SignedDuration::from_secs(2), "{what}: {off} off: {record}");
}

/// Nothing happens for a moment that concerns it, and it is to use hardly any CPU.
fn assert_idle(snoop: &Running, what: &str) {
    let before = cpu_seconds(snoop.pid());
    std::thread::sleep(std::time::Duration::from_secs(1));
    let used = cpu_seconds(snoop.pid()) - before;
    assert!(used < 0.3, "{what}: {used} s of CPU time in a second");
}

fn assert_ends(snoop: Running, what: &str) {
    let (status, _, stderr) = snoop.interrupt();
    assert!(status.success(), "{what}: {stderr:#?}");
}

#[test]
fn execs_are_shown_with_their_true_times() {
    for offset in OFFSETS {
        let mut command = unshared_pfsnoop(
            &options(offset),
            &["-n", "odd-exec|true", "--exit", "-o", "json", "-v"],
        );
        let snoop = Running::start_attached(&mut command);
        let pid = run("/bin/true", &["m-time"]);
        let seen = |kind: &str| {
            eventually(&format!("{offset}: {kind}"), || {
                let is_it = |one: &Value| one["type"] == kind && one["pid"] == pid;
                records(&snoop).into_iter().find(is_it)
            })
        };
        assert_now(&seen("exec"), offset);
        let exit = seen("exit");
        assert_now(&exit, offset);
        assert!(exit["duration_ns"].as_u64() < Some(2_000_000_000), "{exit}");
        assert_idle(&snoop, offset);
        assert_ends(snoop, offset);
    }
}

#[test]
fn rows_have_their_true_times() {
    for offset in OFFSETS {
        let mut snoop =
            Running::start(&mut unshared_pfsnoop(&options(offset), &["-t", "-T", "-n", "true"]));
        snoop.stdout_line("header", |line| line.contains("PCOMM"));
        run("/bin/true", &["m-time-row"]);
        let row = snoop.stdout_line("row", |line| line.ends_with("m-time-row"));
        let words: Vec<&str> = row.split_whitespace().collect();
        let since: f64 = words[1].parse().unwrap();
        assert!((0.0..10.0).contains(&since), "{offset}: {row}");
        let now = Timestamp::now().to_zoned(jiff::tz::TimeZone::system());
        let shown: jiff::civil::Time = words[0].parse().unwrap();
        let off = now.time().duration_since(shown).abs();
        assert!(off < SignedDuration::from_secs(5), "{offset}: {row}, not {now}");
        assert_ends(snoop, offset);
    }
}

/// A filter lets hardly any record pass: what was read is then all that there is.
#[test]
fn it_keeps_up_under_load() {
    let snoop =
        Running::start_attached(&mut unshared_pfsnoop(&options("-300"), &["-o", "json", "-v"]));
    let mut storm = Command::new("sh")
        .args(["-c", "i=0; while [ $i -lt 500 ]; do /bin/true m-time-storm; i=$((i+1)); done"])
        .spawn()
        .unwrap();
    storm.wait_in_time();
    let count = || {
        let all = records(&snoop);
        all.iter().filter(|one| one["args"].to_string().contains("\"m-time-storm\"")).count()
    };
    eventually("every exec of the storm", || (count() >= 500).then_some(()));
    assert_ends(snoop, "load");
}

/// Without /proc, nothing says how far the clocks are apart. Times are wrong then, but rows come, and the
/// reader does not spin.
#[test]
fn an_unknown_offset_does_not_stop_the_reader() {
    for offset in OFFSETS {
        let script = "mount -t tmpfs none /proc; exec \"$0\" -n true -o json -v";
        let shell = ["-m", "-T", "--boottime", offset, "--", "sh", "-c", script];
        let mut command = system("unshare");
        command.args(shell).arg(env!("CARGO_BIN_EXE_pfsnoop"));
        let snoop = Running::start_attached(&mut command);
        let pid = run("/bin/true", &["m-no-offset"]);
        let is_it = |one: &Value| one["type"] == "exec" && one["pid"] == pid;
        wait_for_record(&snoop, offset, is_it);
        assert_idle(&snoop, offset);
        assert_ends(snoop, offset);
    }
}

#[test]
fn sessions_have_their_true_times() {
    let pod = DemoPod::start();
    for offset in OFFSETS {
        let args = ["watch", "-o", "json", "-v"];
        let watch = Running::start_attached(&mut unshared_pfsnoop(&options(offset), &args));
        let target = pod.pause.to_string();
        let socat = ["-t", &target, "-n", "/usr/bin/socat", "-", "TCP4:localhost:9"];
        let nsenter = Command::new("/usr/bin/nsenter").args(socat).output().unwrap();
        assert!(!nsenter.status.success());
        let closed = eventually(&format!("{offset}: the end of the session"), || {
            let is_it = |one: &Value| one["state"] == "closed" && one["target"]["pid"] == pod.pause;
            records(&watch).into_iter().find(is_it)
        });
        assert_now(&closed, offset);
        assert_eq!(closed["outcome"], "refused", "{closed}");
        assert!(closed["duration_ns"].as_u64() < Some(2_000_000_000), "{closed}");
        assert_idle(&watch, offset);
        assert_ends(watch, offset);
    }
}
