//! The kubelet's configuration, which is JSON or YAML.

#![no_main]

use libfuzzer_sys::fuzz_target;
use pfsnoop::doctor::facts::daemons::endpoint_in;

fuzz_target!(|file: &str| {
    endpoint_in(file);
});
