//! pfsnoop as an unprivileged user.

use std::process::Command;

use crate::common::system;

/// The uid of `nobody`.
pub const NOBODY: u32 = 65534;

/// `pfsnoop ARGS...` as nobody, with these options of setpriv(1) besides. The binary may be in a folder
/// that nobody else can read, so a mount namespace has it elsewhere.
pub fn pfsnoop_as_nobody(options: &str, args: &[&str]) -> Command {
    let script = format!(
        "mount -t tmpfs none /mnt; touch /mnt/pfsnoop; mount --bind \"$0\" /mnt/pfsnoop
         exec setpriv --reuid {NOBODY} --regid {NOBODY} --clear-groups {options} /mnt/pfsnoop \"$@\""
    );
    let mut command = system("unshare");
    command.args(["--mount", "sh", "-c", &script, env!("CARGO_BIN_EXE_pfsnoop")]).args(args);
    command
}
