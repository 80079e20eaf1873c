//! Whether a process is held: stopped by a signal, or frozen together with its cgroup.

use std::fs;
use std::path::{Path, PathBuf};

use procfs::process::{MountInfo, Process};

/// What holds a process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Hold {
    /// A signal, such as SIGSTOP.
    Stopped,
    /// A cgroup that is frozen, and the process with it.
    Frozen(FrozenCgroup),
}

/// A cgroup that is frozen: its own switch is on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FrozenCgroup {
    /// Its folder.
    pub dir: PathBuf,
    /// Whether the freezer is the one of cgroup v1.
    is_v1: bool,
}

impl FrozenCgroup {
    /// The command that thaws it, whoever has frozen it.
    #[must_use]
    pub fn thaw(&self) -> (&'static str, PathBuf) {
        if self.is_v1 {
            ("THAWED", self.dir.join("freezer.state"))
        } else {
            ("0", self.dir.join("cgroup.freeze"))
        }
    }

    /// Whether the switch of this cgroup is on. A process in a cgroup below is frozen too.
    fn at(dir: &Path, is_v1: bool) -> Option<Self> {
        let switch = if is_v1 { "freezer.self_freezing" } else { "cgroup.freeze" };
        let is_on = fs::read_to_string(dir.join(switch)).ok()?.trim() == "1";
        is_on.then(|| Self { dir: dir.to_owned(), is_v1 })
    }
}

/// The freezers of this node: where cgroup v2 and the freezer of cgroup v1 are mounted. A node may
/// have both.
pub struct Freezers(Vec<MountInfo>);

impl Freezers {
    /// Those that pfsnoop sees.
    #[must_use]
    pub fn of_this_node() -> Self {
        let mounts = Process::myself().and_then(|own| own.mountinfo());
        let is_freezer = |mount: &MountInfo| match mount.fs_type.as_str() {
            "cgroup2" => true,
            "cgroup" => mount.super_options.contains_key("freezer"),
            _ => false,
        };
        Self(mounts.into_iter().flatten().filter(is_freezer).collect())
    }

    /// What holds this process. `None` if nothing does, or if that cannot be read.
    #[must_use]
    pub fn hold_of(&self, pid: u32) -> Option<Hold> {
        let process = Process::new(i32::try_from(pid).ok()?).ok()?;
        if let Some(frozen) = self.frozen(&process) {
            return Some(Hold::Frozen(frozen));
        }
        // Not `t`: a debugger knows what it does.
        (process.stat().ok()?.state == 'T').then_some(Hold::Stopped)
    }

    fn frozen(&self, process: &Process) -> Option<FrozenCgroup> {
        for cgroup in process.cgroups().ok()? {
            let is_v1 = cgroup.hierarchy != 0;
            if is_v1 && !cgroup.controllers.iter().any(|controller| controller == "freezer") {
                continue;
            }
            let is_its = |mount: &&MountInfo| (mount.fs_type == "cgroup") == is_v1;
            for mount in self.0.iter().filter(is_its) {
                let Some(dir) = dir_in(mount, &cgroup.pathname) else { continue };
                let ancestors = dir.ancestors().take_while(|dir| *dir != mount.mount_point);
                let mut frozen = ancestors.filter_map(|dir| FrozenCgroup::at(dir, is_v1));
                if let Some(frozen) = frozen.next() {
                    return Some(frozen);
                }
            }
        }
        None
    }
}

/// The folder of a cgroup. `None` if it is not below this mount, as in a container.
fn dir_in(mount: &MountInfo, cgroup: &str) -> Option<PathBuf> {
    let below = Path::new(cgroup).strip_prefix(&mount.root).ok()?;
    let is_inside = !below.components().any(|part| part.as_os_str() == "..");
    is_inside.then(|| mount.mount_point.join(below))
}
