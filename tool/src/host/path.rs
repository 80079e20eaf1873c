//! Finds a program as the kubelet's `exec.LookPath` does.

use std::path::PathBuf;

use super::root::Root;

/// The first executable file of that name in our own `PATH`.
#[must_use]
pub fn look_up(program: &str) -> Option<PathBuf> {
    Root::own().ok()?.look_up(program, &std::env::var_os("PATH")?)
}
