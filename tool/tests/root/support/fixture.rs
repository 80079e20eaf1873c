//! The program `odd-exec` (`tests/fixtures/odd_exec.rs`).

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

use crate::common::stdout_of;

/// Cargo builds no examples for one test target, so this does.
static ODD_EXEC: LazyLock<PathBuf> = LazyLock::new(|| {
    let folder = Path::new(env!("CARGO_BIN_EXE_pfsnoop")).parent().unwrap();
    let profile = match folder.file_name().and_then(|name| name.to_str()) {
        Some("debug") => "dev",
        Some(name) => name,
        None => panic!("{} is no folder of a profile", folder.display()),
    };
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["build", "--quiet", "--package", "pfsnoop", "--example", "odd-exec"]);
    cargo.args(["--profile", profile, "--target-dir"]).arg(folder.parent().unwrap());
    stdout_of(cargo.current_dir(env!("CARGO_MANIFEST_DIR")));
    folder.join("examples/odd-exec")
});

/// The path of the program.
pub fn odd_exec() -> &'static Path {
    &ODD_EXEC
}

/// Runs the program to its end. Returns its pid.
pub fn run_odd_exec(args: &[&str]) -> u32 {
    let mut child = Command::new(odd_exec()).args(args).spawn().unwrap();
    child.wait().unwrap();
    child.id()
}
