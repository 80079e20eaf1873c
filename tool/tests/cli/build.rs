//! What a build prints on a machine that is not set up.

use crate::common::temp::TempDir;
use crate::common::{system, text};

#[test]
fn a_build_without_the_ebpf_compiler_names_the_command() {
    let target = TempDir::new("build");
    // A long build must not slow other tests down.
    let build = system("nice")
        // `check` runs the same build script as `build`, and compiles less.
        .args([env!("CARGO"), "check", "--quiet", "--package", "pfsnoop", "--manifest-path"])
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"))
        .arg("--target-dir")
        .arg(target.path())
        // rustup, which knows the compiler for the kernel programs, is not in this PATH.
        .env("RUSTC", rustc())
        .output()
        .unwrap();
    assert!(!build.status.success());
    let stderr = text(&build.stderr);
    let ours: Vec<&str> =
        stderr.lines().filter(|line| line.contains("cargo xtask setup")).collect();
    let [line] = ours[..] else { panic!("one line that says what to do: {stderr}") };
    assert!(line.starts_with("error: pfsnoop@") && line.contains("eBPF compiler"), "{line}");
}

/// The compiler itself, not rustup's proxy for it.
fn rustc() -> std::path::PathBuf {
    let sysroot =
        std::process::Command::new("rustc").args(["--print", "sysroot"]).output().unwrap();
    std::path::Path::new(text(&sysroot.stdout).trim()).join("bin/rustc")
}
