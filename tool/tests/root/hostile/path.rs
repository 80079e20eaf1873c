//! A nsenter or socat in root's PATH that another user can replace.

use std::fs::{Permissions, set_permissions};
use std::os::unix::fs::{PermissionsExt as _, chown, symlink};
use std::path::PathBuf;

use crate::common::temp::TempDir;
use crate::common::{assert_fails, pfsnoop, system};
use crate::support::doctor::{examine, find, fix, severity};
use crate::support::pod::DemoPod;

const NOBODY: Option<u32> = Some(65534);

/// A folder with a socat that leaves a mark when it runs.
struct Trap {
    dir: TempDir,
    socat: PathBuf,
}

impl Trap {
    fn new(name: &str) -> Self {
        let dir = TempDir::new(&format!("trap-{name}"));
        set_permissions(dir.path(), Permissions::from_mode(0o755)).unwrap();
        let socat = dir.script("socat", &format!("touch {}", mark(name).display()));
        Self { dir, socat }
    }
}

fn mark(name: &str) -> PathBuf {
    crate::common::temp::temp_path(&format!("mark-{name}"))
}

/// Each way in which others can replace the program, and what is said about it.
fn traps() -> Vec<(&'static str, TempDir, Option<TempDir>, String)> {
    let mut all = Vec::new();
    let Trap { dir, socat } = Trap::new("owner");
    chown(&socat, NOBODY, NOBODY).unwrap();
    all.push(("owner", dir, None, format!("{} belongs to user 65534", socat.display())));
    let Trap { dir, .. } = Trap::new("folder");
    chown(dir.path(), NOBODY, NOBODY).unwrap();
    let said = format!("{} belongs to user 65534", dir.path().display());
    all.push(("folder", dir, None, said));
    let Trap { dir, socat } = Trap::new("writable");
    set_permissions(&socat, Permissions::from_mode(0o777)).unwrap();
    all.push(("writable", dir, None, format!("everybody may write to {}", socat.display())));
    let Trap { dir, .. } = Trap::new("group");
    set_permissions(dir.path(), Permissions::from_mode(0o775)).unwrap();
    chown(dir.path(), None, Some(50)).unwrap();
    let said = format!("group 50 may write to {}", dir.path().display());
    all.push(("group", dir, None, said));
    // A link in a folder of root's leads into a folder of nobody's.
    let Trap { dir: theirs, socat } = Trap::new("link");
    chown(theirs.path(), NOBODY, NOBODY).unwrap();
    let ours = TempDir::new("trap-link-ours");
    symlink(&socat, ours.join("socat")).unwrap();
    let said = format!("{} belongs to user 65534", theirs.path().display());
    all.push(("link", ours, Some(theirs), said));
    all
}

#[test]
fn a_program_that_others_can_replace_is_refused() {
    let pod = DemoPod::start();
    let target = pod.target();
    for (name, dir, _theirs, said) in traps() {
        let path = dir.before_system_path();
        let run = |args: &[&str]| {
            let mut command = pfsnoop(args);
            command.env("PATH", &path);
            command
        };
        let parts = ["socat is not run", &said, "take its folder out of PATH", "--trust-path"];
        for dialer in [&["--dialer", "nsenter"][..], &[]] {
            assert_fails(&mut run(&[&["forward", &target, ":80"], dialer].concat()), 1, &parts);
        }
        assert_fails(&mut run(&["demo"]), 1, &parts);
        let (findings, _) = examine(&mut run(&["doctor", "-o", "json", &target, "80"]));
        assert_eq!(severity(&findings, "dial.nsenter", &said), "fail", "{name}");
        assert!(fix(&findings, "dial.nsenter").starts_with("export PATH=/usr/local/sbin:"));
        let (findings, _) = examine(&mut run(&["doctor", "-o", "json"]));
        let what = "pfsnoop finds a socat that is not root's";
        assert_eq!(severity(&findings, "helper.socat", what), "warn", "{name}");
        assert!(find(&findings, "helper.socat", &said).is_some(), "{findings:#?}");
        assert!(!mark(name).exists(), "{name}: it ran");

        examine(&mut run(&["doctor", "-o", "json", "--trust-path", &target, "80"]));
        assert!(mark(name).exists(), "{name}: it did not run");
        std::fs::remove_file(mark(name)).unwrap();
    }
}

/// A user may mount a file system of their own (FUSE) in /tmp, in which every file is root's.
#[test]
fn a_mount_in_a_sticky_folder_is_refused() {
    let trap = Trap::new("mount");
    let dir = trap.dir.path().display();
    let forward = format!(
        "cp {dir}/socat /mnt 2> /dev/null || exit 9; mount -t tmpfs none {dir}; \
         cp /mnt/socat {dir}; exec {} forward pid/$$ :80 --dialer nsenter",
        env!("CARGO_BIN_EXE_pfsnoop")
    );
    let script = format!("mount -t tmpfs none /mnt; {forward}");
    let mut command = system("unshare");
    command.args(["--mount", "sh", "-c", &script]).env("PATH", trap.dir.before_system_path());
    let said = format!("{dir} is a mount in a folder that everybody may write to");
    assert_fails(&mut command, 1, &["socat is not run", &said]);
    assert!(!mark("mount").exists());
}

#[test]
fn a_program_of_roots_in_a_sticky_folder_is_run() {
    let pod = DemoPod::start();
    let trap = Trap::new("sticky");
    let target = pod.target();
    let mut command = pfsnoop(&["doctor", "-o", "json", &target, "80"]);
    examine(command.env("PATH", trap.dir.before_system_path()));
    assert!(mark("sticky").exists());
    std::fs::remove_file(mark("sticky")).unwrap();
}
