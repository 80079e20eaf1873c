//! How much of the node's limits is in use: processes, open files, tracked connections.

use std::fs;

/// How much of a limit is in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Usage {
    /// How much is in use.
    pub used: u64,
    /// The limit.
    pub max: u64,
}

impl Usage {
    /// The usage in percent. A limit of 0 counts as full.
    #[must_use]
    pub fn percent(self) -> u64 {
        self.used.saturating_mul(100).checked_div(self.max).unwrap_or(100)
    }
}

/// The processes and threads that this pid namespace shows, and the name of the setting that limits
/// them.
#[must_use]
pub fn tasks() -> Option<(Usage, &'static str)> {
    let all = procfs::process::all_processes().ok()?;
    let threads =
        all.filter_map(|process| u64::try_from(process.ok()?.stat().ok()?.num_threads).ok());
    let pid_max = number("/proc/sys/kernel/pid_max")?;
    let threads_max = number("/proc/sys/kernel/threads-max")?;
    let limits = [(pid_max, "kernel.pid_max"), (threads_max, "kernel.threads-max")];
    let (max, setting) = limits.into_iter().min()?;
    Some((Usage { used: threads.sum(), max }, setting))
}

/// Open files of all processes. `file-nr` has three numbers: open, unused, limit (proc(5)).
#[must_use]
pub fn files() -> Option<Usage> {
    let text = fs::read_to_string("/proc/sys/fs/file-nr").ok()?;
    let mut numbers = text.split_whitespace().map(str::parse);
    Some(Usage { used: numbers.next()?.ok()?, max: numbers.nth(1)?.ok()? })
}

/// Connections that the firewall tracks. `None` if it tracks none, or has no limit.
#[must_use]
pub fn connections() -> Option<Usage> {
    let used = number("/proc/sys/net/netfilter/nf_conntrack_count")?;
    // 0 means no limit (net/netfilter/nf_conntrack_core.c).
    let max = number("/proc/sys/net/netfilter/nf_conntrack_max").filter(|&max| max > 0)?;
    Some(Usage { used, max })
}

fn number(path: &str) -> Option<u64> {
    fs::read_to_string(path).ok()?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_machine_is_below_its_limits() {
        for usage in [tasks().unwrap().0, files().unwrap()] {
            assert!(usage.used > 0 && usage.percent() < 100, "{usage:?}");
        }
        assert_eq!(Usage { used: 1, max: 0 }.percent(), 100);
        assert_eq!(Usage { used: 1, max: 3 }.percent(), 33);
    }
}
