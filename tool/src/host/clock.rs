//! Converts the kernel programs' clock to wall-clock time.

use jiff::Timestamp;
use rustix::time::{ClockId, Timespec, clock_gettime};

/// The wall-clock time of a time of `CLOCK_BOOTTIME`, by the present difference of the two clocks.
#[must_use]
pub fn wall_time(boottime_ns: u64) -> Timestamp {
    let boot_now = nanoseconds(clock_gettime(ClockId::Boottime));
    let wall_now = nanoseconds(clock_gettime(ClockId::Realtime));
    let wall = wall_now - boot_now + i128::from(boottime_ns);
    Timestamp::from_nanosecond(wall).unwrap_or(Timestamp::UNIX_EPOCH)
}

/// `CLOCK_BOOTTIME` now, ns.
#[must_use]
pub fn boottime_ns() -> u64 {
    u64::try_from(nanoseconds(clock_gettime(ClockId::Boottime))).unwrap_or(0)
}

fn nanoseconds(time: Timespec) -> i128 {
    i128::from(time.tv_sec) * 1_000_000_000 + i128::from(time.tv_nsec)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn now_is_the_wall_clock_time() {
        let off = wall_time(boottime_ns()).duration_since(Timestamp::now());
        assert!(off.abs() < jiff::SignedDuration::from_secs(1), "{off}");
    }
}
