//! Answers of Docker's API.

#![no_main]

use libfuzzer_sys::fuzz_target;
use pfsnoop::runtime::answers;

fuzz_target!(|answer: &[u8]| {
    answers::docker_list(answer);
    answers::docker_container(answer);
});
