//! What the threads of a process may do.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use crate::support::processes::mask;

// include/uapi/linux/capability.h
pub const DAC_READ_SEARCH: u64 = 1 << 2;
pub const SYS_PTRACE: u64 = 1 << 19;
pub const SYS_ADMIN: u64 = 1 << 21;
pub const SYS_RESOURCE: u64 = 1 << 24;
pub const PERFMON: u64 = 1 << 38;
pub const BPF: u64 = 1 << 39;

pub const TRACING: u64 = BPF | PERFMON;
pub const PROCESSES: u64 = SYS_PTRACE | DAC_READ_SEARCH;
pub const ENTERING: u64 = SYS_ADMIN | PROCESSES;

/// What the threads of a process may do, by their names. `None` if the threads of a name differ, or if one
/// can pass on more than it may do: it may start a program that gains privileges, or has capabilities for
/// such a program.
fn capabilities(pid: u32) -> BTreeMap<String, Option<u64>> {
    let mut found = BTreeMap::new();
    for thread in std::fs::read_dir(format!("/proc/{pid}/task")).unwrap() {
        let tid = thread.unwrap().file_name().into_string().unwrap();
        let Ok(name) = std::fs::read_to_string(format!("/proc/{tid}/comm")) else { continue };
        let permitted = mask(&tid, "CapPrm:");
        let more = ["CapEff:", "CapInh:", "CapAmb:"].map(|field| mask(&tid, field) & !permitted);
        let is_all = more == [0; 3] && mask(&tid, "NoNewPrivs:") == 1;
        let may = is_all.then_some(permitted);
        let of_name = found.entry(name.trim().to_owned()).or_insert(may);
        *of_name = may.filter(|_| *of_name == may);
    }
    found
}

/// Waits until each thread of a process has only these capabilities. What the tests themselves lack does
/// not count.
pub fn assert_keeps(what: &str, pid: u32, expected: &[(&str, u64)]) {
    let own = mask("self", "CapPrm:");
    let expected: BTreeMap<String, Option<u64>> =
        expected.iter().map(|&(name, kept)| (name.to_owned(), Some(kept & own))).collect();
    let mut found = capabilities(pid);
    let deadline = Instant::now() + Duration::from_secs(10);
    while found != expected {
        assert!(Instant::now() < deadline, "{what}: {found:x?}, not {expected:x?}");
        std::thread::sleep(Duration::from_millis(20));
        found = capabilities(pid);
    }
}
