//! Answers of Podman's API: a list of pods and one of containers.

#![no_main]

use libfuzzer_sys::fuzz_target;
use pfsnoop::runtime::answers;

fuzz_target!(|answer: (&[u8], &[u8])| {
    answers::podman_lists(answer.0, answer.1);
});
