//! The homes of the processes that run already: the network namespaces in which they began to run
//! their programs.

use std::collections::HashMap;
use std::path::Path;

use super::facts::{netns_of, start_of};

/// A process that is not at home in the host's network namespace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Home {
    /// The process.
    pub pid: u32,
    /// Its start, in clock ticks since boot.
    pub start: u64,
    /// Inode of its home.
    pub netns: u32,
}

/// The processes that run and are not at home in the namespace `host`. What cannot be read is left
/// out.
pub fn homes(host: u32) -> impl Iterator<Item = Home> {
    let all = procfs::process::all_processes().into_iter().flatten();
    let pids = all.filter_map(|process| u32::try_from(process.ok()?.pid()).ok());
    pids.filter_map(move |pid| {
        let start = start_of(pid)?;
        let first = u32::try_from(netns_of(pid).ok()?).ok().filter(|&netns| netns != host)?;
        let netns = home_of_threads(first, &netns_of_threads(pid));
        (netns != host).then_some(Home { pid, start, netns })
    })
}

/// Where the threads of a process are at home, of which the first is in the namespace `first`. A
/// forwarder may be inside a pod just now, even with its first thread, but not with most of them.
fn home_of_threads(first: u32, threads: &[u32]) -> u32 {
    let mut counts: HashMap<u32, usize> = HashMap::new();
    for &netns in threads {
        *counts.entry(netns).or_default() += 1;
    }
    // As many inside as outside: the first thread is more likely to be the visitor, since we are
    // asked only about processes whose first thread is not where most processes are.
    let most = counts.into_iter().max_by_key(|&(netns, count)| (count, netns != first, netns));
    most.map_or(first, |(netns, _)| netns)
}

fn netns_of_threads(pid: u32) -> Vec<u32> {
    let threads = std::fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
    let inodes = threads.filter_map(|thread| inode_of(&thread.path().join("ns/net")));
    inodes.filter_map(|inode| u32::try_from(inode).ok()).collect()
}

fn inode_of(namespace: &Path) -> Option<u64> {
    use std::os::unix::fs::MetadataExt as _;
    std::fs::metadata(namespace).ok().map(|file| file.ino())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn most_threads_are_at_home() {
        assert_eq!(home_of_threads(7, &[7]), 7, "one thread");
        assert_eq!(home_of_threads(7, &[]), 7, "the process has ended");
        assert_eq!(home_of_threads(7, &[7, 1, 1]), 1, "the first thread visits a pod");
        assert_eq!(home_of_threads(7, &[7, 1]), 1, "the first of two threads does");
        assert_eq!(home_of_threads(7, &[7, 7, 9]), 7, "another thread visits a pod");
    }
}
