//! What of this node is used up: what a new connection, or a new helper, needs one more of.

use std::fs;

/// How much of something is in use, and how much there may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Use {
    /// In use.
    pub used: u64,
    /// The most that there may be.
    pub most: u64,
}

impl Use {
    /// Hundredths.
    #[must_use]
    pub fn percent(self) -> u64 {
        self.used.saturating_mul(100).checked_div(self.most).unwrap_or(100)
    }
}

/// Processes and threads, as far as they are seen from here; and the setting that bounds them.
#[must_use]
pub fn tasks() -> Option<(Use, &'static str)> {
    let all = procfs::process::all_processes().ok()?;
    let threads =
        all.filter_map(|process| u64::try_from(process.ok()?.stat().ok()?.num_threads).ok());
    let pid_max = number("/proc/sys/kernel/pid_max")?;
    let threads_max = number("/proc/sys/kernel/threads-max")?;
    let bounds = [(pid_max, "kernel.pid_max"), (threads_max, "kernel.threads-max")];
    let (most, setting) = bounds.into_iter().min()?;
    Some((Use { used: threads.sum(), most }, setting))
}

/// Open files of all processes (`file-nr`: open, an unused number, the most).
#[must_use]
pub fn files() -> Option<Use> {
    let text = fs::read_to_string("/proc/sys/fs/file-nr").ok()?;
    let mut numbers = text.split_whitespace().map(str::parse);
    Some(Use { used: numbers.next()?.ok()?, most: numbers.nth(1)?.ok()? })
}

/// Connections that the firewall follows; `None` where it follows none, or any number.
#[must_use]
pub fn connections() -> Option<Use> {
    let used = number("/proc/sys/net/netfilter/nf_conntrack_count")?;
    // 0 is no limit (nf_conntrack_core.c).
    let most = number("/proc/sys/net/netfilter/nf_conntrack_max").filter(|&most| most > 0)?;
    Some(Use { used, most })
}

fn number(path: &str) -> Option<u64> {
    fs::read_to_string(path).ok()?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_machine_is_not_full() {
        for usage in [tasks().unwrap().0, files().unwrap()] {
            assert!(usage.used > 0 && usage.percent() < 100, "{usage:?}");
        }
        assert_eq!(Use { used: 1, most: 0 }.percent(), 100);
        assert_eq!(Use { used: 1, most: 3 }.percent(), 33);
    }
}
