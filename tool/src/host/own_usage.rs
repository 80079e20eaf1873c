//! What this process itself uses.

use std::fs;

use procfs::process::Process;
use procfs::{WithCurrentSystemInfo as _, ticks_per_second};

use super::clock;

/// What this process uses of the machine. A value that cannot be read is absent.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct OwnUsage {
    /// CPU time in user mode and in the kernel, seconds (/proc/PID/stat, `utime` and `stime`).
    pub cpu_seconds: Option<f64>,
    /// Resident memory, bytes (/proc/PID/stat, `rss`).
    pub resident_bytes: Option<u64>,
    /// Virtual memory, bytes (/proc/PID/stat, `vsize`).
    pub virtual_bytes: Option<u64>,
    /// Open file descriptors.
    pub open_files: Option<u64>,
    /// How many may be open (`RLIMIT_NOFILE`).
    pub max_files: Option<u64>,
    /// When the process started, seconds since 1970-01-01 UTC.
    pub start_seconds: Option<f64>,
}

impl OwnUsage {
    /// Reads it now.
    #[must_use]
    pub fn now() -> Self {
        let stat = Process::myself().and_then(|own| own.stat()).ok();
        let ticks = ticks_per_second();
        let seconds = |count: u64| count as f64 / ticks as f64;
        let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile);
        Self {
            cpu_seconds: stat.as_ref().map(|stat| seconds(stat.utime + stat.stime)),
            resident_bytes: stat.as_ref().map(|stat| stat.rss_bytes().get()),
            virtual_bytes: stat.as_ref().map(|stat| stat.vsize),
            open_files: open_files(),
            max_files: limit.current,
            start_seconds: stat.as_ref().map(|stat| wall_seconds(seconds(stat.starttime))),
        }
    }
}

/// The descriptors of this process, without the one that reads the folder.
fn open_files() -> Option<u64> {
    let listed = fs::read_dir("/proc/self/fd").ok()?.count().saturating_sub(1);
    u64::try_from(listed).ok()
}

/// A time since boot, as /proc shows it to this process, as a time since 1970.
fn wall_seconds(since_boot: f64) -> f64 {
    let now_in_proc = clock::in_proc(clock::boottime_ns()) as f64 / 1e9;
    let now = clock::wall_time(clock::boottime_ns()).as_duration().as_secs_f64();
    now - (now_in_proc - since_boot)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_read_is_of_this_process() {
        let now = OwnUsage::now();
        let started = now.start_seconds.unwrap();
        let wall = jiff::Timestamp::now().as_duration().as_secs_f64();
        assert!((wall - 3600.0..=wall).contains(&started), "{started} is in the last hour");
        assert!((1 << 20..1 << 34).contains(&now.resident_bytes.unwrap()), "{now:?}");
        assert!((3..1000).contains(&now.open_files.unwrap()), "{now:?}");
        let file = fs::File::open("/dev/null").unwrap();
        assert!(OwnUsage::now().open_files.unwrap() > 3);
        drop(file);
        assert!(now.cpu_seconds.unwrap() < 600.0 && now.max_files.unwrap() > 3, "{now:?}");
    }
}
