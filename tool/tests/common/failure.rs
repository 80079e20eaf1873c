//! Commands that must fail, with one line that says why.

use std::process::Command;

use super::running::Running;

/// Runs a command, which must exit with `code` and print one line on stderr that contains all of
/// `parts`, and nothing on stdout. Returns that line.
///
/// A command that accepts what it must refuse would run for ever: this fails after a timeout.
pub fn assert_fails(command: &mut Command, code: i32, parts: &[&str]) -> String {
    let (status, stdout, stderr) = Running::start(command).end();
    assert_eq!(status.code(), Some(code), "{command:?}: {stdout:#?} {stderr:#?}");
    let [line] = &stderr[..] else { panic!("{command:?}: one line, not {stderr:#?}") };
    for part in parts {
        assert!(line.contains(part), "{command:?}: {part:?} in {line:?}");
    }
    assert_eq!(stdout, [""; 0], "{command:?}: stdout is for data");
    line.clone()
}
