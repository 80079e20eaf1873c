//! `pfsnoop exec`, and execs for it to show.

use std::os::unix::process::CommandExt as _;
use std::process::Command;

use super::fixture::odd_exec;
use crate::common::running::Running;
use crate::common::{WaitInTime as _, eventually, pfsnoop};

/// `pfsnoop exec` with text output, attached.
pub fn start_exec(args: &[&str]) -> Running {
    let mut running = Running::start(&mut pfsnoop(args));
    running.stdout_line("header", |line| line.contains("PCOMM"));
    running
}

/// `pfsnoop exec --exit -o json`, attached: it has printed the record of an exec of `odd-exec`.
pub fn start_exec_json(args: &[&str]) -> Running {
    let running = Running::start(pfsnoop(&["--exit", "-o", "json"]).args(args));
    eventually("its first record", || {
        Command::new(odd_exec()).args(["exit", "0"]).status().unwrap();
        (!running.stdout().is_empty()).then_some(())
    });
    running
}

/// Runs a program to its end. Returns its pid.
///
/// The path is absolute, so that no failed exec of a search in PATH comes first.
pub fn run(path: &str, args: &[&str]) -> u32 {
    run_as(0, path, args)
}

/// The same as another user.
pub fn run_as(uid: u32, path: &str, args: &[&str]) -> u32 {
    let mut child = Command::new(path).args(args).uid(uid).spawn().unwrap();
    child.wait_in_time();
    child.id()
}
