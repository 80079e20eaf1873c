//! Running programs to their end.

use std::process::{Command, Output};

/// The binary under test, with these arguments.
pub fn pfsnoop(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pfsnoop"));
    command.args(args);
    command
}

/// A program of the system, in whichever of the usual folders it is.
pub fn system(program: &str) -> Command {
    let mut command = Command::new(program);
    command.env("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
    command
}

/// Runs a command to its end.
pub fn output(command: &mut Command) -> Output {
    command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"))
}

/// Runs a command to its end, which must be a success, and returns its stdout.
pub fn stdout_of(command: &mut Command) -> String {
    let output = output(command);
    assert!(output.status.success(), "{command:?}: {output:?}");
    text(&output.stdout)
}

/// Bytes as text.
pub fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
