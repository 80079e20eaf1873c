//! What each job needs.

use anyhow::Result;

use super::step::step;
use super::{cargo_install, clients, kernels, kubernetes, openapi, packages, parts, toolchain};

/// The newest version that takes its LLVM (22) from the Rust toolchain that builds it; later ones
/// want an LLVM of their own on the machine.
const BPF_LINKER: &str = "0.10.4";

/// The newest version when it was chosen; it builds with Rust 1.88 and newer.
const CARGO_DENY: &str = "0.20.2";

/// The newest version when it was chosen.
const CARGO_FUZZ: &str = "0.13.2";

/// What the build and the demo need.
pub(crate) fn to_run() -> Result<()> {
    step("packages for a forward", || packages::ensure(packages::RUN))?;
    step("eBPF compiler", toolchain::ensure)?;
    step("bpf-linker", || cargo_install::ensure("bpf-linker", BPF_LINKER))
}

/// What the pictures of the documentation need.
pub(crate) fn to_take_screenshots() -> Result<()> {
    to_run()?;
    step("packages for pictures", || packages::ensure(packages::SCREENSHOTS))
}

/// What the benchmarks need, and every test that boots no other kernel.
pub(crate) fn to_bench() -> Result<()> {
    to_run()?;
    step("packages for the tests", || packages::ensure(packages::TEST))?;
    step("parts for the tests", parts::ensure_quick)?;
    step("clients for the tests", clients::ensure)?;
    step("OpenAPI of Kubernetes", openapi::ensure)
}

/// What the article's stack needs: Docker, a Kubernetes with dockershim, and execsnoop.
pub(crate) fn to_write_article() -> Result<()> {
    to_bench()?;
    step("packages for Kubernetes", || packages::ensure(packages::ARTICLE))?;
    step("Kubernetes", kubernetes::ensure)
}

/// What all tests need.
pub(crate) fn to_test() -> Result<()> {
    to_bench()?;
    step("kernels for the tests", kernels::ensure)?;
    step("newer parts", parts::ensure_newer)
}

/// What the fuzz targets need.
pub(crate) fn to_fuzz() -> Result<()> {
    step("packages for fuzzing", || packages::ensure(packages::FUZZ))?;
    step("nightly compiler", toolchain::ensure_nightly)?;
    step("cargo-fuzz", || cargo_install::ensure("cargo-fuzz", CARGO_FUZZ))
}

/// Everything that `.ci/run` needs.
pub(crate) fn to_check() -> Result<()> {
    to_test()?;
    step("cargo-deny", || cargo_install::ensure("cargo-deny", CARGO_DENY))
}
