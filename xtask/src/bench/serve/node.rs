//! A node of its own on this machine for containerd: everything that it makes ends with the node.

use std::process::Command;

use anyhow::Result;

/// Where daemons have their files, in memory.
pub(super) const FOLDER: &str = "/run/bench";

/// Makes the node, and becomes the program. `/var/lib` is overlaid: libcni keeps its results there.
const MAKE: &str = "mount --make-rprivate /
    mount -t tmpfs tmpfs /run
    mkdir /run/bench /run/bench/upper /run/bench/work
    mount -t overlay -o lowerdir=/var/lib,upperdir=/run/bench/upper,workdir=/run/bench/work \
        overlay /var/lib
    ip link set lo up
    cd /run/bench
    exec \"$@\"";

/// This program as `bench-serve-inside`, in the node.
pub(super) fn command(cgroup: &str, rounds: usize) -> Result<Command> {
    let mut command = Command::new("unshare");
    command.args(["--mount", "--net", "sh", "-ec", MAKE, "sh"]).arg(std::env::current_exe()?);
    command.args(["bench-serve-inside", cgroup, &rounds.to_string()]);
    command.env("TMPDIR", FOLDER);
    Ok(command)
}
