//! Finds a program as the kubelet's `exec.LookPath` does.

use std::path::PathBuf;

use super::root::Root;
use super::trusted::{Untrusted, check_trusted};

/// The first executable file of that name in our own `PATH`.
#[must_use]
pub fn look_up(program: &str) -> Option<PathBuf> {
    Root::own().ok()?.look_up(program, &std::env::var_os("PATH")?)
}

/// The same, to run it with our own rights: an error if another user could replace the file that comes
/// first.
pub fn look_up_trusted(program: &str) -> Option<Result<PathBuf, Untrusted>> {
    look_up(program).map(|file| check_trusted(&file).map(|()| file))
}
