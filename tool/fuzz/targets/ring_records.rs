//! Records of the ring buffers.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|record: &[u8]| {
    let _ = pfsnoop::probe::decode(record);
});
