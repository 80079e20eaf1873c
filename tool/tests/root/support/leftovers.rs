//! What a program may have left behind.

use super::{eventually, text};

/// Pids and command lines of every process whose command line or parent is one of these.
pub fn processes() -> Vec<(u32, u32, String)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir("/proc").unwrap().flatten() {
        let Ok(pid) = entry.file_name().to_string_lossy().parse::<u32>() else {
            continue;
        };
        let Ok(stat) = std::fs::read_to_string(entry.path().join("stat")) else {
            continue;
        };
        let cmdline = std::fs::read(entry.path().join("cmdline")).unwrap_or_default();
        // Fields after the comm, which may hold anything: state, then ppid.
        let ppid = stat.rsplit(')').next().unwrap().split_whitespace().nth(1).unwrap();
        found.push((pid, ppid.parse().unwrap(), text(&cmdline).replace('\0', " ")));
    }
    found
}

/// Children of a process, with their command lines.
pub fn children_of(parent: u32) -> Vec<String> {
    let own = processes().into_iter().filter(|&(_, ppid, _)| ppid == parent);
    own.map(|(_, _, cmdline)| cmdline).collect()
}

/// Waits until no process has `part` in its command line.
pub fn assert_no_process_with(part: &str) {
    let clean = || {
        let left: Vec<_> =
            processes().into_iter().filter(|(.., line)| line.contains(part)).collect();
        left.is_empty().then_some(())
    };
    eventually(&format!("no process with {part:?}"), clean);
}

/// Waits until nothing holds the network namespace of that inode.
pub fn assert_no_netns(inode: u64) {
    let holder = || {
        let name = format!("net:[{inode}]");
        let held = |pid: u32| {
            std::fs::read_link(format!("/proc/{pid}/ns/net"))
                .is_ok_and(|link| link.to_string_lossy() == name)
        };
        (!processes().iter().any(|&(pid, ..)| held(pid))).then_some(())
    };
    eventually("the network namespace is gone", holder);
}
