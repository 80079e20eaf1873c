//! The container that a process is in, from the path of its cgroup.
//!
//! Every runtime names the cgroup after the container: `cri-containerd-<id>.scope` with systemd,
//! `<id>` with plain cgroupfs.

use super::shapes::container;
use crate::host::process::ProcessFacts;
use crate::model::{ContainerRef, NamedFolder, Placement};

/// At most this many bytes of /proc/PID/cgroup are read: enough for a dozen hierarchies with paths
/// of 4 KiB.
pub(super) const MAX_LEN: u64 = 64 * 1024;

/// The container and pod of a process; `None` when the process has ended.
#[must_use]
pub fn placement_of(process: &ProcessFacts) -> Option<Placement> {
    process.read("cgroup", MAX_LEN).map(|text| parse(&text))
}

/// The container and pod by the path of a cgroup as the kernel programs send it: with the innermost
/// folder first, and only around the folder that may be the container's. A slash behind the outermost
/// folder stands for the root, whose name is empty. Without it, the path was too long to be sent.
#[must_use]
pub fn of_record(path: &[u8]) -> Placement {
    // A folder inside of the container's may have any name. It must not hide the container.
    let path = String::from_utf8_lossy(path);
    match path.strip_suffix('/') {
        Some(complete) if complete.ends_with('/') => {
            of_folders(&complete.rsplit('/').collect::<Vec<_>>())
        }
        _ => {
            // Who made the folders further outside is not known.
            let mut placement = of_folders(&path.rsplit('/').collect::<Vec<_>>());
            for folder in [&mut placement.container_folder, &mut placement.pod_folder] {
                if folder.path.take().is_some() {
                    folder.is_delegated = true;
                }
            }
            placement
        }
    }
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
    let text = String::from_utf8_lossy(text);
    paths(&text).map(of_path).max_by_key(certainty).unwrap_or_default()
}

/// The folders that are named for this container, in the lines of /proc/PID/cgroup.
pub(super) fn folders_of(text: &[u8], id: &str) -> Vec<String> {
    let in_path = |path: &str| {
        let folders: Vec<&str> = path.split('/').collect();
        let is_it = |index: &usize| container_at(&folders, *index).is_some_and(|one| one.id == id);
        let index = (0..folders.len()).rfind(is_it)?;
        Some(folders[..=index].join("/"))
    };
    paths(&String::from_utf8_lossy(text)).filter_map(in_path).collect()
}

fn paths(text: &str) -> impl Iterator<Item = &str> {
    text.split('\n').filter_map(|line| line.splitn(3, ':').nth(2))
}

/// How specific a placement is. `max_by_key` takes the last of equal placements: the line of cgroup
/// v2, if there is one. A process may be able to join a cgroup with any name in one hierarchy and not
/// in the others.
fn certainty(placement: &Placement) -> u8 {
    u8::from(placement.container.is_some()) * 4
        + u8::from(!placement.container_folder.is_delegated) * 2
        + u8::from(placement.pod_uid.is_some())
}

/// A path up to a container's folder that is longer than this proves nothing. Runtimes make paths of
/// 100 to 300 bytes. Thousands of these paths are remembered, and anybody with a cgroup can make long
/// ones.
const MAX_PATH: usize = 512;

/// systemd's folder for the users of the node, each of whom may make cgroups there.
const USERS: &str = "user.slice";

/// The innermost container counts, because a container may run a container runtime (kind, Docker in
/// Docker). Whoever runs in the outer one may have named the inner one.
fn of_folders(folders: &[&str]) -> Placement {
    let mut placement = Placement::default();
    let mut pod = None;
    let mut is_delegated = false;
    for (index, name) in folders.iter().enumerate() {
        let folder = || named_folder(&folders[..=index], is_delegated);
        if let Some(uid) = pod_uid(name) {
            pod = Some((uid, folder()));
        }
        let container = container_at(folders, index);
        if container.is_some() {
            (placement.container, placement.container_folder) = (container, folder());
        }
        // A pod inside of a container counts only with a container of its own.
        if (placement.container.is_none() || placement.container_folder == folder())
            && let Some((uid, folder)) = pod.clone()
        {
            (placement.pod_uid, placement.pod_folder) = (Some(uid), folder);
        }
        is_delegated |= *name == USERS || placement.container.is_some();
    }
    placement
}

fn named_folder(folders: &[&str], is_delegated: bool) -> NamedFolder {
    let len: usize = folders.iter().map(|name| name.len() + 1).sum();
    if len > MAX_PATH {
        return NamedFolder { path: None, is_delegated: true };
    }
    NamedFolder { path: Some(folders.join("/")), is_delegated }
}

/// The container for which the folder at this place of a path is named.
fn container_at(folders: &[&str], index: usize) -> Option<ContainerRef> {
    let folder = |index: Option<usize>| {
        index.and_then(|index| folders.get(index)).copied().unwrap_or_default()
    };
    let (outer, inner) = (folder(index.checked_sub(1)), folder(index.checked_add(1)));
    container(outer, folder(Some(index)), inner)
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
