//! A cgroup that belongs to `nobody`, who may make cgroups in it and join them.

use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use super::cgroup::Cgroup;
use crate::common::{output, system};

/// The uid and gid of `nobody`.
const NOBODY: u32 = 65534;

/// The cgroup. Dropping it removes it with all cgroups in it.
pub struct Delegated {
    path: PathBuf,
    /// Removed last.
    _cgroup: Cgroup,
}

impl Delegated {
    /// In the hierarchy that is mounted there.
    pub fn new(mount: &Path, name: &str) -> Self {
        let path = mount.join(format!("pfsnoop-{name}-{}", std::process::id()));
        let cgroup = Cgroup::at(path.clone());
        for file in ["", "cgroup.procs"] {
            chown(path.join(file), Some(NOBODY), Some(NOBODY)).unwrap();
        }
        Self { path, _cgroup: cgroup }
    }

    /// The path of a cgroup inside.
    pub fn join(&self, inside: &str) -> PathBuf {
        self.path.join(inside)
    }

    /// A command that `nobody` runs in the cgroup with this path inside. `nobody` makes it, too.
    pub fn command(&self, inside: &str, command: &[&str]) -> Command {
        let script = "echo $$ > \"$0/cgroup.procs\" && inside=$1 && shift &&
            exec setpriv --reuid 65534 --regid 65534 --clear-groups sh -c '
                mkdir -p \"$0\" && echo $$ > \"$0/cgroup.procs\" && exec \"$@\"' \"$inside\" \"$@\"";
        let mut shell = system("sh");
        shell.args(["-c", script]).arg(&self.path).arg(self.join(inside)).args(command);
        shell
    }

    /// Runs it to its end.
    pub fn run(&self, inside: &str, command: &[&str]) {
        let ran = output(&mut self.command(inside, command));
        assert!(ran.status.success(), "{ran:?}");
    }

    /// Starts it.
    pub fn spawn(&self, inside: &str, command: &[&str]) -> Child {
        self.command(inside, command).stdin(Stdio::null()).spawn().unwrap()
    }
}

impl Drop for Delegated {
    fn drop(&mut self) {
        // The innermost first; a process that has just ended stays for a moment.
        for _ in 0..50 {
            let _ = system("find")
                .arg(&self.path)
                .args(["-mindepth", "1", "-depth", "-type", "d", "-exec", "rmdir", "{}", "+"])
                .stderr(Stdio::null())
                .status();
            let folders = std::fs::read_dir(&self.path).into_iter().flatten().flatten();
            if !folders.into_iter().any(|one| one.path().is_dir()) {
                return;
            }
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
    }
}
