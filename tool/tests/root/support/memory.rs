//! Storms of execs with many arguments, and the memory of a process meanwhile.

use std::process::{Child, Command};

use super::fixture::odd_exec;
use crate::common::WaitInTime as _;

/// How many of them run at once, as on a node with as many unprivileged users.
const PROCESSES: usize = 6;

/// More arguments than that do not fit into a record.
const ARGUMENTS: &str = "32000";

/// A running storm: processes that run a program again and again, with 32,000 arguments of one byte.
pub struct ArgumentStorm(Vec<Child>);

impl ArgumentStorm {
    /// Starts a storm of so many seconds.
    pub fn start(seconds: u32, program: &[&str]) -> Self {
        let start = |_| {
            let mut storm = Command::new(odd_exec());
            storm.args(["storm", &seconds.to_string(), ARGUMENTS]).args(program);
            storm.spawn().unwrap()
        };
        Self((0..PROCESSES).map(start).collect())
    }

    /// Waits until it is over.
    pub fn wait(mut self) {
        for storm in &mut self.0 {
            assert!(storm.wait_in_time().success());
        }
    }
}

impl Drop for ArgumentStorm {
    fn drop(&mut self) {
        for storm in &mut self.0 {
            let _ = storm.kill();
            let _ = storm.wait();
        }
    }
}

/// Memory of a process in KiB.
#[derive(Clone, Copy, Debug)]
pub struct Memory {
    /// What is its own, without the pages of files, which come and go.
    pub own: u64,
    /// The most that was resident since its start.
    pub peak: u64,
}

impl Memory {
    pub fn of(pid: u32) -> Self {
        Self::of_running(pid).unwrap()
    }

    /// `None` once the process has ended.
    pub fn of_running(pid: u32) -> Option<Self> {
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
        let value = |key: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(key))?;
            line.split_whitespace().next()?.parse().ok()
        };
        Some(Self { own: value("RssAnon:")?, peak: value("VmHWM:")? })
    }
}
