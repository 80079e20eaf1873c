//! Converts the kernel programs' clock to wall-clock time.
//!
//! The kernel programs read `CLOCK_BOOTTIME` as the node has it (`bpf_ktime_get_boot_ns`). In a time
//! namespace, clock_gettime(2) adds an offset to that clock (time_namespaces(7)), and so does
//! /proc/PID/stat. All times in pfsnoop are the node's.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::sync::LazyLock;

use jiff::Timestamp;
use rustix::time::{ClockId, Timespec, clock_gettime};

/// The wall-clock time of a time of `CLOCK_BOOTTIME`, by the present difference of the two clocks.
#[must_use]
pub fn wall_time(boottime_ns: u64) -> Timestamp {
    let boot_now = i128::from(self::boottime_ns());
    let wall_now = nanoseconds(clock_gettime(ClockId::Realtime));
    let wall = wall_now - boot_now + i128::from(boottime_ns);
    Timestamp::from_nanosecond(wall).unwrap_or(Timestamp::UNIX_EPOCH)
}

/// The same in ns since 1970.
#[must_use]
pub fn wall_time_ns(boottime_ns: u64) -> i64 {
    i64::try_from(wall_time(boottime_ns).as_nanosecond()).unwrap_or(i64::MAX)
}

/// The wall-clock time now, ns since 1970.
#[must_use]
pub fn wall_ns() -> i64 {
    i64::try_from(nanoseconds(clock_gettime(ClockId::Realtime))).unwrap_or(i64::MAX)
}

/// The time now, for the name of a file: `20261128T021403Z`.
#[must_use]
pub fn file_time() -> String {
    Timestamp::now().strftime("%Y%m%dT%H%M%SZ").to_string()
}

/// Reads what is needed to know the node's clock. Must be called while this process may still open files.
pub fn prepare() {
    LazyLock::force(&NAMESPACE_OFFSET);
}

/// The node's `CLOCK_BOOTTIME` now, ns.
#[must_use]
pub fn boottime_ns() -> u64 {
    let ours = nanoseconds(clock_gettime(ClockId::Boottime));
    u64::try_from(ours - *NAMESPACE_OFFSET).unwrap_or(0)
}

/// A time of the node's `CLOCK_BOOTTIME` as /proc/PID/stat shows it to this process, ns
/// (`do_task_stat`, fs/proc/array.c).
#[must_use]
pub fn in_proc(boottime_ns: u64) -> u64 {
    let shifted = (i128::from(boottime_ns) + *NAMESPACE_OFFSET).max(0);
    u64::try_from(shifted).unwrap_or(u64::MAX)
}

/// Inode of the first time namespace, whose clocks are the node's (`PROC_TIME_INIT_INO`,
/// include/linux/proc_ns.h).
const FIRST_TIME_NAMESPACE: u64 = 0xefff_fffa;

/// How far `CLOCK_BOOTTIME` of our time namespace is ahead of the node's, ns. It cannot change any more:
/// a time namespace with a process in it has fixed offsets.
static NAMESPACE_OFFSET: LazyLock<i128> = LazyLock::new(|| {
    // Kernels without time namespaces (CONFIG_TIME_NS) have no such file.
    let own = fs::metadata("/proc/self/ns/time").ok().map(|namespace| namespace.ino());
    if own.is_none_or(|inode| inode == FIRST_TIME_NAMESPACE) {
        return 0;
    }
    let offsets = fs::read_to_string("/proc/self/timens_offsets").unwrap_or_default();
    offsets.lines().find_map(boottime_offset).unwrap_or(0)
});

/// The offset in a line of /proc/PID/timens_offsets: `boottime  -300  0`, seconds and nanoseconds. Older
/// kernels write the number of the clock.
fn boottime_offset(line: &str) -> Option<i128> {
    let mut words = line.split_whitespace();
    let clock = words.next()?;
    let (seconds, nanoseconds): (i128, i128) =
        (words.next()?.parse().ok()?, words.next()?.parse().ok()?);
    matches!(clock, "boottime" | "7").then_some(seconds * 1_000_000_000 + nanoseconds)
}

fn nanoseconds(time: Timespec) -> i128 {
    i128::from(time.tv_sec) * 1_000_000_000 + i128::from(time.tv_nsec)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_offset_is_that_of_boottime() {
        assert_eq!(boottime_offset("monotonic           5         0"), None);
        assert_eq!(boottime_offset("boottime         -300 700000000"), Some(-299_300_000_000));
        assert_eq!(boottime_offset("7 1000 0"), Some(1_000_000_000_000));
        assert_eq!(boottime_offset("boottime"), None);
    }

    #[test]
    fn now_is_the_wall_clock_time() {
        let off = wall_time(boottime_ns()).duration_since(Timestamp::now());
        assert!(off.abs() < jiff::SignedDuration::from_secs(1), "{off}");
    }
}
