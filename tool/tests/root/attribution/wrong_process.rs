//! Facts in /proc that belong to another process than the one in the kernel's record.

use std::io::Write as _;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rustix::process::Signal;
use serde_json::Value;

use crate::common::running::Running;
use crate::common::{WaitInTime as _, output, pfsnoop, system};
use crate::support::cgroup::Cgroup;
use crate::support::namespaces::unshared_pfsnoop;
use crate::support::records::{parse, records, wait_for_record};
use crate::support::reused_pid::process_with;

/// A process in a cgroup that is named as a container's.
struct InContainer {
    process: Child,
    cgroup: Cgroup,
}

impl InContainer {
    /// `sleep` with that pid, in the container with this id.
    fn with_pid(pid: u32, id: &str) -> Self {
        let cgroup = Cgroup::named(id);
        // Start times in /proc are in hundredths of a second.
        std::thread::sleep(Duration::from_millis(30));
        let process = process_with(pid, Command::new("sleep").arg("60"));
        std::fs::write(cgroup.path().join("cgroup.procs"), pid.to_string()).unwrap();
        Self { process, cgroup }
    }

    /// `sleep` with any pid.
    fn start(id: &str) -> Self {
        let cgroup = Cgroup::named(id);
        let process = Command::new("sleep").arg("60").spawn().unwrap();
        std::fs::write(cgroup.path().join("cgroup.procs"), process.id().to_string()).unwrap();
        Self { process, cgroup }
    }
}

impl Drop for InContainer {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// An id of a container that no other test uses.
fn id(digit: char) -> String {
    format!("{:032x}", std::process::id()) + &digit.to_string().repeat(32)
}

fn exec_of(snoop: &Running, marker: &str) -> Value {
    wait_for_record(snoop, marker, |one| {
        one["type"] == "exec" && one["args"].to_string().contains(marker)
    })
}

/// Runs an nsenter that is to enter that process and to become socat.
fn run_nsenter(target: u32, port: &str) {
    let address = format!("TCP4:localhost:{port}");
    let socat = ["-t", &target.to_string(), "-n", "/usr/bin/socat", "-", &address];
    output(system("/usr/bin/nsenter").args(socat).stdin(Stdio::null()));
}

#[test]
fn a_process_that_ended_is_not_in_the_container_of_its_successor() {
    let snoop = Running::start_attached(&mut pfsnoop(&["-n", "true", "-o", "json", "-v"]));
    // Seen in time, the container of a process is known.
    let seen = InContainer::start(&id('a'));
    let join = format!(
        "echo $$ > {}/cgroup.procs; exec /bin/true m-in-time",
        seen.cgroup.path().display()
    );
    assert!(Command::new("sh").args(["-c", &join]).status().unwrap().success());
    assert_eq!(exec_of(&snoop, "m-in-time")["container"]["id"], id('a'));

    snoop.signal(Signal::STOP);
    let mut first = Command::new("/bin/true").arg("m-too-late").spawn().unwrap();
    let pid = first.id();
    first.wait_in_time();
    let _second = InContainer::with_pid(pid, &id('b'));
    snoop.signal(Signal::CONT);
    let exec = exec_of(&snoop, "m-too-late");
    assert_eq!((&exec["pid"], &exec["container"]), (&pid.into(), &Value::Null), "{exec}");
}

/// The time in the kernel's record and the target's start in /proc are of different clocks there.
#[test]
fn a_target_is_found_from_a_time_namespace() {
    for offset in ["-300", "1000"] {
        let unshare = ["-T", "--boottime", offset, "--"];
        let args = ["-n", "nsenter", "-o", "json", "-v"];
        let snoop = Running::start_attached(&mut unshared_pfsnoop(&unshare, &args));
        let target = InContainer::start(&id('f'));
        run_nsenter(target.process.id(), "4097");
        let exec = exec_of(&snoop, "TCP4:localhost:4097");
        assert_eq!(exec["container"]["id"], id('f'), "{offset}: {exec}");
    }
}

#[test]
fn the_successor_of_a_target_was_not_entered() {
    let snoop = Running::start_attached(&mut pfsnoop(&["-n", "nsenter", "-o", "json", "-v"]));
    let watch =
        Running::start_attached(&mut pfsnoop(&["watch", "--port", "4099", "-o", "json", "-v"]));
    let mut target = Command::new("/bin/true").spawn().unwrap();
    let pid = target.id();
    target.wait_in_time();
    for one in [&snoop, &watch] {
        one.signal(Signal::STOP);
    }
    run_nsenter(pid, "4099");
    let _second = InContainer::with_pid(pid, &id('c'));
    for one in [&snoop, &watch] {
        one.signal(Signal::CONT);
    }
    let exec = exec_of(&snoop, "TCP4:localhost:4099");
    assert_eq!(exec["container"], Value::Null, "{exec}");
    let closed = wait_for_record(&watch, "the end", |one| one["state"] == "closed");
    assert_eq!(closed["outcome"], "target-gone", "{closed}");
    assert_eq!(closed["target"]["container"], Value::Null, "{closed}");
}

/// A node in a container (kind) has pids of its own. Its nsenter names a process by such a pid.
#[test]
fn a_pid_of_another_namespace_names_no_process_of_the_node() {
    let snoop = Running::start_attached(&mut pfsnoop(&["-n", "nsenter", "-o", "json", "-v"]));
    let watch =
        Running::start_attached(&mut pfsnoop(&["watch", "--port", "4098", "-o", "json", "-v"]));
    let other = InContainer::start(&id('d'));
    let pid = other.process.id().to_string();
    let socat = ["nsenter", "-t", &pid, "-n", "/usr/bin/socat", "-", "TCP4:localhost:4098"];
    let mut inside = system("unshare");
    output(inside.args(["--pid", "--fork", "--mount-proc", "--"]).args(socat));
    let exec = exec_of(&snoop, "TCP4:localhost:4098");
    assert_eq!(exec["container"], Value::Null, "{exec}");
    let closed = wait_for_record(&watch, "the end", |one| one["state"] == "closed");
    assert_eq!(closed["target"]["container"], Value::Null, "{closed}");
    assert_ne!(closed["target"]["pid"].to_string(), pid, "{closed}");
}

/// A pid namespace that ends with unshare(1).
const OWN_PIDS: [&str; 5] = ["--pid", "--fork", "--kill-child", "--mount-proc", "--"];

/// In a pid namespace of its own, pfsnoop sees other processes with the pids of the kernel's records.
#[test]
fn a_process_of_our_namespace_with_the_same_pid_is_another() {
    let mut shell = Command::new("sh");
    shell.args(["-c", "read go; exec /bin/true m-same-pid"]).stdin(Stdio::piped());
    let mut shell = shell.spawn().unwrap();
    let cgroup = Cgroup::named(&id('e'));
    let script = "echo $(($1 - 1)) > /proc/sys/kernel/ns_last_pid; sleep 60 & other=$!
        echo $other > \"$2/cgroup.procs\"; echo \"other $other\" >&2
        \"$0\" -n true -o json -v & wait $!; kill $other";
    let mut inside = system("unshare");
    inside.args(OWN_PIDS).args(["sh", "-c", script, env!("CARGO_BIN_EXE_pfsnoop")]);
    let mut snoop = Running::start_attached(inside.arg(shell.id().to_string()).arg(cgroup.path()));
    let other = snoop.stderr_line("the other", |line| line.starts_with("other "));
    assert_eq!(other, format!("other {}", shell.id()));
    shell.stdin.take().unwrap().write_all(b"go\n").unwrap();
    shell.wait_in_time();
    let exec = exec_of(&snoop, "m-same-pid");
    let (pid, container) = (&exec["pid"], &exec["container"]);
    assert_eq!((pid, container), (&shell.id().into(), &Value::Null), "{exec}");
    let said = snoop.stderr();
    let notes = said.iter().filter(|line| line.contains("pid namespace")).count();
    assert_eq!(notes, 1, "{said:#?}");
}

/// `-P $$` in a pid namespace of its own.
#[test]
fn a_parent_is_named_by_its_pid_in_our_namespace() {
    let script = "\"$0\" -P $$ -o json -v 2> \"$1\" & snoop=$!
        until grep -q attached \"$1\"; do sleep 0.1; done
        /bin/true m-of-shell; sh -c '/bin/true m-of-child; true'
        sleep 0.5; kill -INT $snoop; wait $snoop";
    let said = crate::common::temp::temp_path("own-pids");
    let mut inside = system("unshare");
    inside.args(OWN_PIDS).args(["sh", "-c", script, env!("CARGO_BIN_EXE_pfsnoop")]).arg(&said);
    let (status, stdout, _) = Running::start(&mut inside).end();
    assert!(status.success());
    let shown = stdout.join("\n");
    assert!(shown.contains("m-of-shell") && !shown.contains("\"m-of-child\""), "{shown}");
    let _ = std::fs::remove_file(said);
    parse(&stdout);
}

/// The same number on the node is another process.
#[test]
fn a_pid_of_the_node_is_not_one_of_our_namespace() {
    let mut shell = Command::new("sh");
    shell.args(["-c", "read go; /bin/true m-of-node; true"]).stdin(Stdio::piped());
    let mut shell = shell.spawn().unwrap();
    let args = ["-P", &shell.id().to_string(), "-o", "json", "-v"];
    let snoop = Running::start_attached(&mut unshared_pfsnoop(&OWN_PIDS, &args));
    shell.stdin.take().unwrap().write_all(b"go\n").unwrap();
    shell.wait_in_time();
    std::thread::sleep(Duration::from_millis(500));
    let execs = records(&snoop).into_iter().filter(|one| one["type"] == "exec").count();
    assert_eq!(execs, 0, "{:#?}", snoop.stdout());
}
