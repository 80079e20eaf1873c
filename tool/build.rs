//! Builds the kernel programs and leaves their object in `OUT_DIR`, where `probe` embeds it.

use std::path::Path;
use std::process::Command;

use anyhow::Result;
use aya_build::{Package, Toolchain};

/// The rustup toolchain that `cargo xtask setup` links.
const TOOLCHAIN: &str = "pfsnoop-ebpf";

fn main() -> Result<()> {
    if let Err(missing) = find_compiler() {
        println!("cargo::error={missing} is missing: run `cargo xtask setup`");
        return Ok(());
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    println!("cargo::rerun-if-changed={}", root.join("../tool-common").display());
    let programs = root.join("../tool-ebpf");
    // SAFETY: this program has one thread.
    unsafe {
        // Allows `-Z build-std` outside of nightly.
        std::env::set_var("RUSTC_BOOTSTRAP", "1");
        // aya-build turns every line of the inner cargo into a warning of the outer cargo.
        std::env::set_var("CARGO_TERM_QUIET", "true");
    }
    let package = Package {
        name: "pfsnoop-ebpf",
        root_dir: programs.to_str().unwrap_or("../tool-ebpf"),
        ..Package::default()
    };
    aya_build::build_ebpf([package], Toolchain::Custom(TOOLCHAIN))
}

fn find_compiler() -> Result<(), &'static str> {
    let runs = |command: &mut Command| command.output().is_ok_and(|out| out.status.success());
    if !runs(Command::new("rustup").args(["run", TOOLCHAIN, "rustc", "--version"])) {
        return Err("the eBPF compiler");
    }
    if !runs(Command::new("bpf-linker").arg("--version")) {
        return Err("bpf-linker");
    }
    Ok(())
}
