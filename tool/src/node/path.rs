//! Finding a program as the kubelet's `exec.LookPath` does.

use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

/// The first executable file of that name in `PATH`.
#[must_use]
pub fn look_up(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        // Go refuses a program that it finds relative to the current directory.
        .filter(|dir| dir.is_absolute())
        .map(|dir| dir.join(program))
        .find(|file| {
            file.metadata()
                .is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
        })
}
