//! `cargo xtask setup`: from a machine with rustup and a C linker to one that builds, runs and
//! tests pfsnoop. Each step looks first, acts only when something is missing, and prints its time.

mod cargo_install;
mod debian;
mod kernels;
mod packages;
mod parts;
mod step;
mod steps;
mod toolchain;

pub(crate) use steps::{to_bench, to_check, to_run, to_take_screenshots, to_test};
