//! Whose container a process is in, from the path of its cgroup.
//!
//! Every runtime names the cgroup after the container, in one of two shapes: systemd's
//! (`cri-containerd-<id>.scope`) and plain cgroupfs (`<id>`). The innermost name counts, since a
//! container may hold a runtime of its own (kind, Docker in Docker).

use std::fs;
use std::io::Read as _;
use std::os::unix::fs::MetadataExt as _;

use rustix::fs::statfs;

/// A container id is 64 hexadecimal digits in every runtime.
const ID_LEN: usize = 64;

/// `CGROUP2_SUPER_MAGIC` (include/uapi/linux/magic.h).
const CGROUP2_MAGIC: i64 = 0x6367_7270;

/// Most bytes of /proc/PID/cgroup that are read: a dozen hierarchies with paths of 4 KiB.
const MAX_LEN: u64 = 64 * 1024;

/// Prefix of a scope or folder, and the runtime that names them so.
const PREFIXES: [(&str, Runtime); 5] = [
    ("cri-containerd-", Runtime::Containerd),
    ("docker-", Runtime::Docker),
    ("crio-", Runtime::Crio),
    ("libpod-", Runtime::Podman),
    ("nerdctl-", Runtime::Containerd),
];

/// Who runs a container.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Runtime {
    /// Docker Engine.
    Docker,
    /// containerd, by its CRI plugin or nerdctl.
    Containerd,
    /// CRI-O.
    Crio,
    /// Podman.
    Podman,
    /// The path does not tell.
    Unknown,
}

/// What a cgroup path says of its processes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Placement {
    /// The container.
    pub container: Option<(String, Runtime)>,
    /// The pod, as the kubelet writes its uid into the path.
    pub pod_uid: Option<String>,
}

/// The id of the cgroup v2 of that directory, as the kernel programs select it.
pub fn directory(path: &str) -> Result<u64, String> {
    let path = fs::canonicalize(path).map_err(|error| error.to_string())?;
    let kind = statfs(&path).map_err(|error| error.to_string())?.f_type;
    if kind != CGROUP2_MAGIC {
        return Err("not a folder of cgroup v2, which is mounted on /sys/fs/cgroup or on \
                    /sys/fs/cgroup/unified"
            .to_owned());
    }
    fs::metadata(&path).map(|folder| folder.ino()).map_err(|error| error.to_string())
}

/// Where a process is; `None` when it is gone.
#[must_use]
pub fn placement_of(pid: u32) -> Option<Placement> {
    let mut text = Vec::new();
    let file = fs::File::open(format!("/proc/{pid}/cgroup")).ok()?;
    file.take(MAX_LEN).read_to_end(&mut text).ok()?;
    Some(parse(&text))
}

/// What the name of a cgroup alone says, of a process that is gone.
#[must_use]
pub fn of_name(name: &[u8]) -> Placement {
    std::str::from_utf8(name).map(of_path).unwrap_or_default()
}

/// Reads the lines of /proc/PID/cgroup, `hierarchy:controllers:path` (cgroups(7)).
///
/// All hierarchies name the same container; the last line that says most is taken.
#[must_use]
pub fn parse(text: &[u8]) -> Placement {
    let lines = text.split(|&byte| byte == b'\n');
    let paths = lines.filter_map(|line| std::str::from_utf8(line).ok()?.splitn(3, ':').nth(2));
    let placements = paths.map(of_path);
    placements.max_by_key(Placement::certainty).unwrap_or_default()
}

impl Placement {
    /// The container's id.
    #[must_use]
    pub fn container_id(&self) -> Option<&str> {
        self.container.as_ref().map(|(id, _)| id.as_str())
    }

    /// How much it says. Of equals the last wins, which is cgroup v2's line where there is one.
    fn certainty(&self) -> u8 {
        u8::from(self.container.is_some()) * 2 + u8::from(self.pod_uid.is_some())
    }
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

/// `name` as a container's cgroup, inside the one named `outer`.
fn container(name: &str, outer: &str) -> Option<(String, Runtime)> {
    let bare = name.strip_suffix(".scope").unwrap_or(name);
    for (prefix, runtime) in PREFIXES {
        if let Some(id) = bare.strip_prefix(prefix).filter(|id| is_id(id)) {
            return Some((id.to_owned(), runtime));
        }
    }
    let runtime = match outer {
        "docker" => Runtime::Docker,
        "k8s.io" => Runtime::Containerd,
        _ => Runtime::Unknown,
    };
    // containerd's CRI plugin under systemd writes `<slice>:cri-containerd:<id>` for a cgroupfs path.
    let id = bare.rsplit(':').next().filter(|id| is_id(id))?;
    let runtime = if bare.contains(":cri-containerd:") { Runtime::Containerd } else { runtime };
    Some((id.to_owned(), runtime))
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
    // A uid as the API server makes them, or the 32 digits of a static pod's.
    let digits = uid.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-');
    (digits && matches!(uid.len(), 32 | 36)).then_some(uid)
}

fn is_id(text: &str) -> bool {
    text.len() == ID_LEN && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
    const OUTER: &str = "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff";
    const UID: &str = "12345678-9abc-def0-1234-56789abcdef0";

    fn place(path: &str) -> (Option<Runtime>, bool) {
        let path = path.replace("%C", ID).replace("%O", OUTER);
        let path = path.replace("%S", &UID.replace('-', "_")).replace("%U", UID);
        let placement = parse(format!("0::{path}\n").as_bytes());
        if let Some((id, _)) = &placement.container {
            assert_eq!(id, ID, "{path}");
        }
        let in_pod = placement.pod_uid.map(|uid| assert_eq!(uid, UID, "{path}")).is_some();
        (placement.container.map(|(_, runtime)| runtime), in_pod)
    }

    #[test]
    fn every_runtimes_shapes() {
        use Runtime::{Containerd, Crio, Docker, Podman, Unknown};
        for (path, runtime, in_pod) in [
            ("/system.slice/docker-%C.scope", Docker, false),
            ("/docker/%C", Docker, false),
            ("/docker/%C/init.scope", Docker, false),
            ("/kubepods.slice/kubepods-pod%S.slice/cri-containerd-%C.scope", Containerd, true),
            (
                "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod%S.slice/docker-%C.scope",
                Docker,
                true,
            ),
            ("/kubepods/besteffort/pod%U/%C", Unknown, true),
            ("/kubepods/pod%U/%C", Unknown, true),
            (
                "/system.slice/containerd.service/kubepods-besteffort-pod%S.slice:cri-containerd:%C",
                Containerd,
                true,
            ),
            ("/k8s.io/%C", Containerd, false),
            ("/kubepods.slice/kubepods-pod%S.slice/crio-%C.scope", Crio, true),
            ("/kubepods.slice/kubepods-pod%S.slice/crio-%C.scope/container", Crio, true),
            ("/machine.slice/libpod-%C.scope/container", Podman, false),
            ("/libpod_parent/libpod-%C", Podman, false),
            (
                "/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-%C.scope",
                Podman,
                false,
            ),
            ("/system.slice/nerdctl-%C.scope", Containerd, false),
            ("/docker/%O/kubelet/kubepods/burstable/pod%U/%C", Unknown, true),
            (
                "/docker/%O/kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-pod%S.slice/cri-containerd-%C.scope",
                Containerd,
                true,
            ),
        ] {
            let (found, pod) = place(path);
            assert_eq!(found, Some(runtime), "{path}");
            assert_eq!(pod, in_pod, "{path}");
        }
    }

    #[test]
    fn the_host_is_no_container() {
        for path in [
            "/",
            "",
            "/user.slice/user-0.slice/session-1.scope",
            "/system.slice/docker.service",
            "/system.slice/crio-conmon-%C.scope",
            "/kubepods.slice",
            "/docker/short",
            "/../../x",
        ] {
            assert_eq!(place(path), (None, false), "{path}");
        }
    }

    #[test]
    fn the_name_alone_is_enough_as_long_as_the_kernel_programs_keep_it() {
        let slice = format!("kubepods-besteffort-pod{}.slice", UID.replace('-', "_"));
        for name in [
            format!("cri-containerd-{ID}.scope"),
            ID.to_owned(),
            format!("{slice}:cri-containerd:{ID}"),
        ] {
            assert!(name.len() < pfsnoop_common::record::MAX_CGROUP_NAME, "{name}");
            assert_eq!(of_name(name.as_bytes()).container_id(), Some(ID), "{name}");
        }
        assert_eq!(of_name(b"\xff"), Placement::default());
    }

    #[test]
    fn version_1_names_it_in_any_hierarchy() {
        let text =
            format!("12:pids:/docker/{ID}\n11:cpu,cpuacct:/\n1:name=systemd:/docker/{ID}\n0::/\n");
        assert_eq!(parse(text.as_bytes()).container, Some((ID.to_owned(), Runtime::Docker)));
    }

    #[test]
    fn a_process_that_is_gone_is_nowhere() {
        assert_eq!(placement_of(u32::MAX), None);
        assert!(placement_of(std::process::id()).is_some());
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_are_parsed(text: Vec<u8>, path in "(/|:|pod|kubepods|-|docker-|[0-9a-f]{32,64}|\\.scope|\\.slice|\n|ü|\\PC)*") {
            let _ = parse(&text);
            let placement = parse(format!("0::{path}").as_bytes());
            if let Some((id, _)) = placement.container {
                proptest::prop_assert!(is_id(&id));
            }
        }
    }
}
