//! The container that a process is in, from the path of its cgroup.
//!
//! Every runtime names the cgroup after the container: `cri-containerd-<id>.scope` with systemd,
//! `<id>` with plain cgroupfs. The innermost name counts, because a container may run a container
//! runtime (kind, Docker in Docker).

use std::fs;
use std::io::Read as _;

use crate::model::{ContainerRef, Placement};

/// A container id is 64 hexadecimal digits in every runtime.
const ID_LEN: usize = 64;

/// At most this many bytes of /proc/PID/cgroup are read: enough for a dozen hierarchies with paths
/// of 4 KiB.
const MAX_LEN: u64 = 64 * 1024;

/// Prefix of the name of a container's scope or folder, and the runtime that uses the prefix.
const PREFIXES: [(&str, &str); 6] = [
    ("cri-containerd-", "containerd"),
    ("docker-", "docker"),
    ("crio-", "cri-o"),
    ("libpod-", "podman"),
    // `--cgroups=split`, as Quadlet's units run containers inside their own cgroup.
    ("libpod-payload-", "podman"),
    ("nerdctl-", "containerd"),
];

/// Name of the folder that holds the folders of containers, and the runtime that uses the name.
const OUTER_FOLDERS: [(&str, &str); 2] = [("docker", "docker"), ("k8s.io", "containerd")];

/// Podman's folder for cgroups without systemd. A folder in it that is named by a bare id belongs to
/// a pod, with the containers `libpod-<id>` inside and the folder `conmon` for their monitors.
const PODS_FOLDER: &str = "libpod_parent";

/// containerd's CRI plugin writes `<slice>:cri-containerd:<id>` when systemd is given a cgroupfs
/// path.
const INFIXES: [(&str, &str); 1] = [(":cri-containerd:", "containerd")];

/// The runtime of a path that does not name one.
const UNKNOWN: &str = "unknown";

/// The container and pod of a process; `None` when the process has ended.
#[must_use]
pub fn placement_of(pid: u32) -> Option<Placement> {
    text_of(pid).map(|text| parse(&text))
}

/// Whether the process is in the folder of the Podman pod with this id: it is a monitor of the pod's
/// containers, or what the monitor runs. The kernel programs send the pod's id as the name of such a
/// cgroup, without the folder above, by which [`parse`] knows that it is not a container's.
#[must_use]
pub fn is_in_pods_folder(pid: u32, id: &str) -> bool {
    let folder = format!("/{PODS_FOLDER}/{id}/");
    let text = text_of(pid).unwrap_or_default();
    String::from_utf8_lossy(&text).contains(&folder)
}

fn text_of(pid: u32) -> Option<Vec<u8>> {
    let mut text = Vec::new();
    let file = fs::File::open(format!("/proc/{pid}/cgroup")).ok()?;
    file.take(MAX_LEN).read_to_end(&mut text).ok()?;
    Some(text)
}

/// The container and pod by the name of a cgroup alone, for a process that has ended.
#[must_use]
pub fn of_name(name: &[u8]) -> Placement {
    std::str::from_utf8(name).map(of_path).unwrap_or_default()
}

/// Reads the lines of /proc/PID/cgroup, `hierarchy:controllers:path` (cgroups(7)).
///
/// All hierarchies name the same container. The most specific line counts; of several such lines,
/// the last.
#[must_use]
pub fn parse(text: &[u8]) -> Placement {
    let lines = text.split(|&byte| byte == b'\n');
    let paths = lines.filter_map(|line| std::str::from_utf8(line).ok()?.splitn(3, ':').nth(2));
    let placements = paths.map(of_path);
    placements.max_by_key(certainty).unwrap_or_default()
}

/// How specific a placement is. `max_by_key` takes the last of equal placements: the line of cgroup
/// v2, if there is one.
fn certainty(placement: &Placement) -> u8 {
    u8::from(placement.container.is_some()) * 2 + u8::from(placement.pod_uid.is_some())
}

fn of_path(path: &str) -> Placement {
    let mut placement = Placement::default();
    let mut outer = "";
    for name in path.split('/') {
        if let Some(uid) = pod_uid(name) {
            placement.pod_uid = Some(uid);
        }
        if let Some(container) = container(name, outer) {
            placement.container = Some(container);
        }
        outer = name;
    }
    placement
}

/// The container that a cgroup called `name`, inside the folder `outer`, belongs to.
fn container(name: &str, outer: &str) -> Option<ContainerRef> {
    let bare = name.strip_suffix(".scope").unwrap_or(name);
    for (prefix, runtime) in PREFIXES {
        if let Some(id) = bare.strip_prefix(prefix).filter(|id| is_id(id)) {
            return Some(ContainerRef { id: id.to_owned(), runtime });
        }
    }
    if outer == PODS_FOLDER {
        return None;
    }
    let id = bare.rsplit(':').next().filter(|id| is_id(id))?;
    let by_infix = INFIXES.iter().find(|(infix, _)| bare.contains(infix));
    let by_folder = || OUTER_FOLDERS.iter().find(|(folder, _)| outer == *folder);
    let runtime = by_infix.or_else(by_folder).map_or(UNKNOWN, |&(_, runtime)| runtime);
    Some(ContainerRef { id: id.to_owned(), runtime })
}

/// `pod<uid>`, or systemd's `kubepods-burstable-pod<uid with _ for ->.slice`, which may stand
/// before a colon.
fn pod_uid(name: &str) -> Option<String> {
    let slice = name.split(':').next().unwrap_or(name);
    let bare = slice.strip_suffix(".slice").unwrap_or(slice);
    let uid = match bare.strip_prefix("pod") {
        Some(uid) => uid.to_owned(),
        None if bare.contains("kubepods") => bare.rsplit_once("-pod")?.1.replace('_', "-"),
        None => return None,
    };
    // A uid from the API server has 36 characters; the uid of a static pod has 32 digits.
    let digits = uid.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-');
    (digits && matches!(uid.len(), 32 | 36)).then_some(uid)
}

fn is_id(text: &str) -> bool {
    text.len() == ID_LEN && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}
