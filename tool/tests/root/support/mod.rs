//! What the tests share.

pub mod cgroup;
pub mod containerd;
pub mod cri;
pub mod docker;
pub mod exec_cases;
pub mod image;
pub mod leftovers;
pub mod pod;
pub mod running;
pub mod vm;
pub mod websocket;

use std::process::{Command, Output};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How long anything may take before a test fails; machines that test are slow and busy.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// A ring buffer that one test fills is that of each tracer: whoever fills one with helpers, or has a
/// reader stand still that filters nothing, does so alone.
static RINGS: Mutex<()> = Mutex::new(());

/// Waits for those who fill ring buffers, and keeps others from it.
pub fn rings_to_ourselves() -> MutexGuard<'static, ()> {
    RINGS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The binary under test, with these arguments.
pub fn pfsnoop(args: &[&str]) -> Command {
    require_root();
    let mut command = Command::new(env!("CARGO_BIN_EXE_pfsnoop"));
    command.args(args);
    command
}

/// A program of the system, wherever Debian keeps it.
pub fn system(program: &str) -> Command {
    let mut command = Command::new(program);
    command.env("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
    command
}

/// Runs to the end.
pub fn output(command: &mut Command) -> Output {
    command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"))
}

/// Runs to the end, which must be a success, and returns stdout.
pub fn stdout_of(command: &mut Command) -> String {
    let output = output(command);
    assert!(output.status.success(), "{command:?}: {output:?}");
    text(&output.stdout)
}

/// Bytes as text.
pub fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Waits until `found` gives something.
pub fn eventually<T>(what: &str, mut found: impl FnMut() -> Option<T>) -> T {
    let deadline = std::time::Instant::now() + PATIENCE;
    loop {
        if let Some(found) = found() {
            return found;
        }
        assert!(std::time::Instant::now() < deadline, "in vain: {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// These tests cannot pass by not being run.
fn require_root() {
    assert!(rustix::process::geteuid().is_root(), "these tests need root: sudo cargo xtask test");
}
