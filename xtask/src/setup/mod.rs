//! `cargo xtask setup`: from a machine with rustup and a C linker to one that builds, runs and
//! tests pfsnoop. Each step looks first, acts only when something is missing, and prints its time.

mod cargo_install;
mod clients;
mod debian;
mod go;
mod kernels;
mod kubernetes;
mod openapi;
mod packages;
mod part;
mod parts;
mod services;
mod step;
mod steps;
mod toolchain;
mod wanted_parts;

pub(crate) use kubernetes::programs as kubernetes_programs;
pub(crate) use parts::newest_kubectl;
pub(crate) use steps::{
    to_bench, to_check, to_fuzz, to_run, to_take_screenshots, to_test, to_write_article,
};
pub(crate) use toolchain::NIGHTLY;
