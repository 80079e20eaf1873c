//! hosts(5).

#![no_main]

use libfuzzer_sys::fuzz_target;
use pfsnoop::doctor::facts::hosts;

fuzz_target!(|file: &[u8]| {
    hosts::in_hosts(file, hosts::MAX_READ);
});
