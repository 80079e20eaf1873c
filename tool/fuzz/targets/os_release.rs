//! os-release(5).

#![no_main]

use libfuzzer_sys::fuzz_target;
use pfsnoop::doctor::facts::distribution::Packages;

fuzz_target!(|file: &str| {
    Packages::of_os_release(file);
});
