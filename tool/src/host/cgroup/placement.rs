//! The container that a process is in, from the path of its cgroup.
//!
//! Every runtime names the cgroup after the container: `cri-containerd-<id>.scope` with systemd,
//! `<id>` with plain cgroupfs.

use super::shapes::container;
use crate::host::process::ProcessFacts;
use crate::model::Placement;

/// At most this many bytes of /proc/PID/cgroup are read: enough for a dozen hierarchies with paths
/// of 4 KiB.
const MAX_LEN: u64 = 64 * 1024;

/// The container and pod of a process; `None` when the process has ended.
#[must_use]
pub fn placement_of(process: &ProcessFacts) -> Option<Placement> {
    process.read("cgroup", MAX_LEN).map(|text| parse(&text))
}

/// The container and pod by the path of a cgroup as the kernel programs send it: with the innermost
/// folder first, and only around the folder that may be the container's.
#[must_use]
pub fn of_record(path: &[u8]) -> Placement {
    let folders: Vec<&str> = std::str::from_utf8(path).unwrap_or_default().rsplit('/').collect();
    of_folders(&folders)
}

/// The container and pod by the path of a cgroup.
#[must_use]
pub fn of_path(path: &str) -> Placement {
    of_folders(&path.split('/').collect::<Vec<_>>())
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

/// The innermost container counts, because a container may run a container runtime (kind, Docker in
/// Docker).
fn of_folders(folders: &[&str]) -> Placement {
    let mut placement = Placement::default();
    for (index, name) in folders.iter().enumerate() {
        let folder = |index: Option<usize>| {
            index.and_then(|index| folders.get(index)).copied().unwrap_or_default()
        };
        if let Some(uid) = pod_uid(name) {
            placement.pod_uid = Some(uid);
        }
        let (outer, inner) = (folder(index.checked_sub(1)), folder(index.checked_add(1)));
        if let Some(container) = container(outer, name, inner) {
            placement.container = Some(container);
        }
    }
    placement
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
