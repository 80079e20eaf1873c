//! Answers of CRI, and the JSON inside.

#![no_main]

use libfuzzer_sys::fuzz_target;
use pfsnoop::runtime::answers;

fuzz_target!(|answer: (&[u8], &[u8], &str)| {
    answers::cri_lists(answer.0, answer.1);
    answers::cri_status(answer.0);
    answers::cri_info(answer.2);
});
