//! Arguments and options for the commands in `fix:`, which users paste into a shell.

use crate::output::quoted;
use crate::target::{Target, TargetName};

/// The arguments that name a target in a command of pfsnoop.
pub(super) fn target_args(name: &TargetName, namespace: Option<&str>) -> String {
    match name {
        TargetName::Pod(name) => match namespace {
            None | Some("default") => quoted(name),
            Some(namespace) => format!("{} -n {}", quoted(name), quoted(namespace)),
        },
        // kubectl takes this form too.
        TargetName::PodIn { namespace, name } => {
            format!("{} -n {}", quoted(name), quoted(namespace))
        }
        TargetName::Container(name) => quoted(&format!("container/{name}")),
        TargetName::Pid(pid) => format!("pid/{pid}"),
        TargetName::Netns(path) => quoted(&format!("netns/{}", path.display())),
    }
}

/// The options with which nsenter enters the target's network namespace.
pub(super) fn nsenter_options(target: &Target) -> String {
    match target.pid() {
        Some(pid) => format!("-t {pid} -n"),
        None => quoted(&format!("--net={}", target.netns_file().display())),
    }
}
