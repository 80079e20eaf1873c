//! The names that runtimes give to the cgroups of their containers.

use std::borrow::Cow;

use crate::model::ContainerRef;

/// The runtime of a name that does not tell.
const UNKNOWN: &str = "unknown";

/// How a folder is named for a container.
struct Shape {
    /// The name of the folder above; empty if any will do.
    outer: &'static str,
    /// How the name starts. What begins with a colon may stand further inside.
    start: &'static str,
    end: &'static str,
    id: Id,
    runtime: &'static str,
}

/// What stands between the start and the end of the name.
#[derive(Clone, Copy)]
enum Id {
    /// 64 hexadecimal digits.
    Digits,
    /// A task's 32 hexadecimal digits, a dash, and a number.
    Task,
    /// A name that a person has chosen.
    Name,
    /// The same, as systemd escapes it in the name of a unit (systemd.unit(5)).
    UnitName,
}

/// The first one that fits counts.
const SHAPES: [Shape; 16] = [
    shape("", "cri-containerd-", "", Id::Digits, "containerd"),
    shape("", "docker-", "", Id::Digits, "docker"),
    shape("", "crio-", "", Id::Digits, "cri-o"),
    // `--cgroups=split`, as Quadlet's units run containers inside their own cgroup.
    shape("", "libpod-payload-", "", Id::Digits, "podman"),
    shape("", "libpod-", "", Id::Digits, "podman"),
    shape("", "nerdctl-", "", Id::Digits, "containerd"),
    // containerd's CRI plugin writes `<slice>:cri-containerd:<id>` when systemd is given a cgroupfs path.
    shape("", ":cri-containerd:", "", Id::Digits, "containerd"),
    shape("docker", "", "", Id::Digits, "docker"),
    shape("k8s.io", "", "", Id::Digits, "containerd"),
    shape("", "", "", Id::Digits, UNKNOWN),
    shape("", "", "", Id::Task, "ecs"),
    // Incus and LXD too. Older versions of LXC have a folder for all containers.
    shape("", "lxc.payload.", "", Id::Name, "lxc"),
    shape("lxc.payload", "", "", Id::Name, "lxc"),
    shape("lxc", "", "", Id::Name, "lxc"),
    shape("", "systemd-nspawn@", ".service", Id::UnitName, "systemd-nspawn"),
    shape("", "machine-", ".scope", Id::UnitName, "systemd-nspawn"),
];

const fn shape(
    outer: &'static str,
    start: &'static str,
    end: &'static str,
    id: Id,
    runtime: &'static str,
) -> Shape {
    Shape { outer, start, end, id, runtime }
}

/// Podman's folder for cgroups without systemd. A folder in it that is named by a bare id belongs to
/// a pod, with the containers `libpod-<id>` inside and the folder `conmon` for their monitors.
const PODS_FOLDER: &str = "libpod_parent";

/// systemd-nspawn's own processes, beside those of the container in `payload`.
const SUPERVISOR: &str = "supervisor";

/// machined registers virtual machines of QEMU in the same way (libvirt,
/// `virSystemdMakeMachineName`).
const VIRTUAL_MACHINE: &str = "qemu-";

/// The name of a runtime as pfsnoop writes it, or `unknown`. Every runtime that pfsnoop knows makes cgroups.
#[must_use]
pub fn runtime_named(name: &str) -> &'static str {
    SHAPES.iter().map(|shape| shape.runtime).find(|known| *known == name).unwrap_or(UNKNOWN)
}

/// The container that a cgroup called `name` belongs to, between the folders `outer` and `inner`.
pub(super) fn container(outer: &str, name: &str, inner: &str) -> Option<ContainerRef> {
    let found = SHAPES.iter().filter(|shape| shape.outer.is_empty() || shape.outer == outer);
    let mut found = found.filter_map(|shape| Some((shape, shape.id_of(name)?)));
    let (shape, id) = found.next()?;
    let is_beside = match shape.id {
        Id::Digits => outer == PODS_FOLDER && shape.start.is_empty(),
        Id::UnitName => inner == SUPERVISOR || id.starts_with(VIRTUAL_MACHINE),
        Id::Task | Id::Name => false,
    };
    (!is_beside).then(|| ContainerRef { id: id.into_owned(), runtime: shape.runtime })
}

impl Shape {
    fn id_of<'a>(&self, name: &'a str) -> Option<Cow<'a, str>> {
        let Self { start, end, id, .. } = self;
        let inside = || Some(name.split_once(start).filter(|_| start.starts_with(':'))?.1);
        let middle = name.strip_prefix(start).or_else(inside)?.strip_suffix(end)?;
        match id {
            Id::Digits => {
                let bare = middle.strip_suffix(".scope").unwrap_or(middle);
                let id = if start.is_empty() { bare.rsplit(':').next()? } else { bare };
                ContainerRef::is_id(id).then_some(Cow::Borrowed(id))
            }
            Id::Task => is_task(middle).then_some(Cow::Borrowed(middle)),
            Id::Name => (!middle.is_empty()).then_some(Cow::Borrowed(middle)),
            Id::UnitName => (!middle.is_empty()).then(|| unescaped(middle)),
        }
    }
}

fn is_task(text: &str) -> bool {
    let Some((task, number)) = text.split_once('-') else { return false };
    let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    task.len() == 32 && task.bytes().all(|byte| byte.is_ascii_hexdigit()) && is_number
}

/// Undoes systemd's `\x2d` for a dash, and the like. A name that is not escaped that way stays.
fn unescaped(name: &str) -> Cow<'_, str> {
    let mut bytes = Vec::new();
    let mut parts = name.split(r"\x");
    bytes.extend(parts.next().unwrap_or_default().bytes());
    for part in parts {
        let byte = part.get(..2).and_then(|digits| u8::from_str_radix(digits, 16).ok());
        let (Some(byte), Some(rest)) = (byte, part.get(2..)) else { return name.into() };
        bytes.push(byte);
        bytes.extend(rest.bytes());
    }
    String::from_utf8(bytes).map_or(name.into(), Cow::Owned)
}
