//! A node of its own on this machine: namespaces in which Docker and Kubernetes find everything in the
//! usual places, and change nothing outside.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result};

use crate::setup;

/// The name of the node, and its address.
pub(super) const NAME: &str = "node1";
pub(super) const ADDRESS: &str = "10.0.0.1";

/// Makes the node, and becomes the program. The first arguments are its name, its address, the folder of
/// pfsnoop, and those of the programs of Kubernetes.
///
/// Folders that programs write to are overlaid, or empty where overlayfs would have to stack. Files take
/// the place of the settings that a kubelet changes and that hold for the whole machine
/// (`setupKernelTunables`, pkg/kubelet/cm/container_manager_linux.go).
const MAKE: &str = r#"
    mount --make-rprivate /
    name=$1
    address=$2
    pfsnoop=$3
    client=$4
    server=$5
    shift 5
    hostname "$name"
    mount -t tmpfs tmpfs /run
    mkdir /run/node /run/lock
    for folder in etc opt usr/bin var/lib var/log; do
        mkdir -p "/run/node/$folder/upper" "/run/node/$folder/work"
        mount -t overlay -o "lowerdir=/$folder,upperdir=/run/node/$folder/upper,workdir=/run/node/$folder/work" \
            overlay "/$folder"
    done
    rm -rf /var/log/pods /var/log/containers
    for folder in docker containerd kubelet etcd; do
        mkdir -p "/var/lib/$folder"
        mount -t tmpfs tmpfs "/var/lib/$folder"
    done
    for program in "$pfsnoop/pfsnoop" "$client/kubectl" "$client/etcd" "$server/kubelet" "$server/kube-apiserver"; do
        place="/usr/bin/$(basename "$program")"
        rm -f "$place"
        touch "$place"
        mount --bind "$(realpath "$program")" "$place"
    done
    for setting in vm/overcommit_memory vm/panic_on_oom kernel/panic kernel/panic_on_oops \
        kernel/keys/root_maxkeys kernel/keys/root_maxbytes; do
        mkdir -p "/run/node/$(dirname "$setting")"
        cat "/proc/sys/$setting" > "/run/node/$setting"
        mount --bind "/run/node/$setting" "/proc/sys/$setting"
    done
    printf '%s\n' '127.0.0.1 localhost' '::1 localhost' "$address $name" > /etc/hosts
    ip link set lo up
    ip link add node0 type bridge
    ip address add "$address/24" dev node0
    ip link set node0 up
    cd /run/node
    exec "$@"
"#;

/// This program as `article-inside`, in the node.
pub(super) fn command(pfsnoop: &Path, cgroup: &str) -> Result<Command> {
    let mut command = Command::new("unshare");
    command.args(["--mount", "--net", "--uts", "sh", "-ec", MAKE, "sh", NAME, ADDRESS]);
    command.arg(pfsnoop.parent().context("pfsnoop has no folder")?);
    command.args(setup::kubernetes_programs());
    command.arg(std::env::current_exe()?).args(["article-inside", cgroup]);
    // A fixed environment: pfsnoop prints the PATH of a daemon.
    command.env_clear().env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin");
    command.env("HOME", "/run/node").env("TMPDIR", "/run/node").env("LC_ALL", "C.UTF-8");
    Ok(command)
}

/// Removes socat from the node, as if it had never been installed.
pub(super) fn remove_socat() -> Result<()> {
    fs::remove_file("/usr/bin/socat").context("cannot remove socat")
}
