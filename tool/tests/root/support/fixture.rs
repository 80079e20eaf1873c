//! The programs of `tests/fixtures`.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

use crate::common::WaitInTime as _;
use crate::common::stdout_of;

static ODD_EXEC: LazyLock<PathBuf> = LazyLock::new(|| build("odd-exec"));
static LATE_EXEC: LazyLock<PathBuf> = LazyLock::new(|| build("late-exec"));
static PEER: LazyLock<PathBuf> = LazyLock::new(|| build("peer"));
static IMPOSTOR: LazyLock<PathBuf> = LazyLock::new(|| build("impostor"));
static SILENT_FUSE: LazyLock<PathBuf> = LazyLock::new(|| build("silent-fuse"));
static KUBE_FORWARD: LazyLock<PathBuf> = LazyLock::new(|| build("kube-forward"));
static VISITOR: LazyLock<PathBuf> = LazyLock::new(|| build("visitor"));

/// Cargo builds no examples for one test target, so this does.
fn build(example: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_BIN_EXE_pfsnoop")).parent().unwrap();
    let profile = match folder.file_name().and_then(|name| name.to_str()) {
        Some("debug") => "dev",
        Some(name) => name,
        None => panic!("{} is no folder of a profile", folder.display()),
    };
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["build", "--quiet", "--package", "pfsnoop", "--example", example]);
    cargo.args(["--profile", profile, "--target-dir"]).arg(folder.parent().unwrap());
    stdout_of(cargo.current_dir(env!("CARGO_MANIFEST_DIR")));
    folder.join("examples").join(example)
}

/// The path of the program for unusual execs, and of servers.
pub fn odd_exec() -> &'static Path {
    &ODD_EXEC
}

/// The path of the program for execs that fail late.
pub fn late_exec() -> &'static Path {
    &LATE_EXEC
}

/// The path of the program that runs the scripts of a client and a server.
pub fn peer() -> &'static Path {
    &PEER
}

/// The path of the program that pretends to be nsenter, socat or cri-dockerd.
pub fn impostor() -> &'static Path {
    &IMPOSTOR
}

/// The path of the program that visits a network namespace.
pub fn visitor() -> &'static Path {
    &VISITOR
}

/// The path of the program with a file system that does not answer.
pub fn silent_fuse() -> &'static Path {
    &SILENT_FUSE
}

/// The path of the program that forwards ports by the `kube` crate.
pub fn kube_forward() -> &'static Path {
    &KUBE_FORWARD
}

/// Runs the program for unusual execs to its end. Returns its pid.
pub fn run_odd_exec(args: &[&str]) -> u32 {
    let mut child = Command::new(odd_exec()).args(args).spawn().unwrap();
    child.wait_in_time();
    child.id()
}
