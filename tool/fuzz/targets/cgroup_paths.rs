//! Paths of cgroups: in the kernel's records, and in /proc/PID/cgroup.

#![no_main]

use libfuzzer_sys::fuzz_target;
use pfsnoop::host::cgroup;

fuzz_target!(|path: &[u8]| {
    cgroup::of_record(path);
    cgroup::parse(path);
    if let Ok(path) = std::str::from_utf8(path) {
        cgroup::of_path(path);
    }
});
