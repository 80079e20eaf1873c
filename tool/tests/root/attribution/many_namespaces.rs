//! One search through /proc serves all network namespaces that are asked for.

use std::process::Command;

use crate::common::running::Running;
use crate::common::temp::temp_path;
use crate::common::{pfsnoop, stdout_of, system};
use crate::support::netns::process_in_new_netns;

/// How often pfsnoop lists /proc in `seconds` while programs run in so many namespaces.
fn searches(namespaces: usize, seconds: u64) -> usize {
    let holders: Vec<Running> = (0..namespaces).map(|_| process_in_new_netns()).collect();
    let trace = temp_path(&format!("searches-{namespaces}"));
    let traced = pfsnoop(&["-o", "wide", "-v", "--duration", &seconds.to_string()]);
    let mut strace = system("strace");
    strace.args(["-f", "-e", "trace=openat", "-o"]).arg(&trace).arg(traced.get_program());
    let mut snoop = Running::start_attached(strace.args(traced.get_args()));
    while !snoop.has_exited() {
        for holder in &holders {
            let pid = holder.pid().to_string();
            stdout_of(Command::new("nsenter").args(["-t", &pid, "-n", "/bin/true", "m-inside"]));
        }
    }
    let calls = std::fs::read_to_string(&trace).unwrap();
    std::fs::remove_file(&trace).unwrap();
    let rows = snoop.stdout().iter().filter(|row| row.ends_with("m-inside")).count();
    assert!(rows > namespaces, "{rows} rows of {namespaces} namespaces");
    calls.lines().filter(|call| call.contains("\"/proc\"")).count()
}

#[test]
fn a_search_through_proc_serves_all_namespaces() {
    let (one, many) = (searches(1, 3), searches(40, 3));
    // Other tests make namespaces meanwhile, which are searched for too.
    assert!(many <= one + 20, "{one} searches with 1 namespace, {many} with 40");
}
