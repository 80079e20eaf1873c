//! The command that lets a process find nsenter or socat.

use std::ffi::OsStr;

use super::facts::daemons;
use super::facts::distribution::Packages;
use super::search_path::{USUAL_PATH, own_search};
use crate::host::root::Root;
use crate::output::quoted;

/// The command that lets pfsnoop itself find a program that it does not find.
pub(super) fn fix_for_pfsnoop(program: &str) -> String {
    match own_search() {
        Ok(own) if is_in_usual_path(program, &own.root) => export_path(),
        Ok(own) => Packages::of(&own.root).install(program),
        Err(_) => export_path(),
    }
}

/// The command that lets a daemon find a program that it does not find. `root` is the file system
/// that the daemon sees.
pub(super) fn fix_for_daemon(program: &str, daemon: &str, pid: u32, root: &Root) -> String {
    if is_in_usual_path(program, root) {
        return extend_path_of(daemon);
    }
    let install = Packages::of(root).install(program);
    // The node's package manager does not reach the files of a container.
    if root.is_foreign() { format!("nsenter -t {pid} -m {install}") } else { install }
}

/// Whether the program is installed, so that only the `PATH` hides it.
fn is_in_usual_path(program: &str, root: &Root) -> bool {
    root.look_up(program, OsStr::new(USUAL_PATH)).is_some()
}

fn export_path() -> String {
    format!("export PATH={USUAL_PATH}")
}

/// The command that gives a daemon's systemd unit a longer `PATH`.
fn extend_path_of(daemon: &str) -> String {
    let unit = daemons::unit_of(daemon);
    let folder = format!("/etc/systemd/system/{unit}.service.d");
    let lines = quoted(&format!("[Service]\nEnvironment=PATH={USUAL_PATH}\n"));
    format!(
        "mkdir -p {folder} && printf {lines} > {folder}/path.conf && systemctl daemon-reload \
         && systemctl restart {unit}"
    )
}
