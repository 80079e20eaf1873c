//! What `cargo xtask dist` makes: a binary that needs nothing but the kernel, and a package that
//! comes and goes without a trace.

use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use crate::doctor::node::{examine, severity};
use crate::support::{eventually, running::Running, stdout_of, system};

/// The folder, made once.
static DIST: LazyLock<PathBuf> = LazyLock::new(|| {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut xtask = std::process::Command::new("nice");
    xtask.args([env!("CARGO"), "xtask", "dist"]).env_remove("CARGO_TARGET_DIR");
    stdout_of(xtask.current_dir(root));
    root.join("target/dist")
});

/// A folder of the test's own, which goes with it.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("pfsnoop-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    /// Every file and folder in it.
    fn contents(&self) -> Vec<String> {
        let list = stdout_of(system("find").current_dir(&self.0).args([".", "-mindepth", "1"]));
        let mut list: Vec<String> = list.lines().map(str::to_owned).collect();
        list.sort_unstable();
        list
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[test]
fn the_binary_is_small_and_runs_in_an_empty_root() {
    let root = Folder::new("empty-root");
    let binary = root.0.join("pfsnoop");
    let len = std::fs::copy(DIST.join("pfsnoop"), &binary).unwrap();
    assert!(len < 8_000_000, "{len} bytes");
    for folder in ["proc", "sys"] {
        std::fs::create_dir(root.0.join(folder)).unwrap();
    }
    let inside = |args: &str| {
        let mut command = system("unshare");
        let script = format!(
            "mount --rbind /proc proc && mount --rbind /sys sys && exec chroot . /pfsnoop {args}"
        );
        command.current_dir(&root.0).args(["--mount", "sh", "-c", &script]);
        command
    };
    let version = stdout_of(&mut inside("--version"));
    assert_eq!(version, concat!("pfsnoop ", env!("CARGO_PKG_VERSION"), "\n"));
    let (findings, code) = examine(&mut inside("doctor -o json"));
    assert_eq!((severity(&findings, "kernel.tracing", "works"), code), ("ok", Some(0)));
    assert_eq!(severity(&findings, "helper.socat", "does not find"), "warn");
    // It traces what runs outside.
    let mark = root.0.display().to_string();
    let mut snoop = Running::start(&mut inside(&format!("-x -l '{mark}' --count 1")));
    eventually("a row", || {
        stdout_of(system("true").arg(&mark));
        (snoop.stdout().len() == 2).then_some(())
    });
    assert!(snoop.wait().success());
    assert_eq!(root.contents(), ["./pfsnoop", "./proc", "./sys"], "nothing is left there");
}

#[test]
fn the_package_installs_and_removes_cleanly() {
    let system_root = Folder::new("deb-root");
    for folder in ["var/lib/dpkg/info", "var/lib/dpkg/updates"] {
        std::fs::create_dir_all(system_root.0.join(folder)).unwrap();
    }
    std::fs::write(system_root.0.join("var/lib/dpkg/status"), "").unwrap();
    let packages = std::fs::read_dir(&*DIST).unwrap().flatten().map(|entry| entry.path());
    let deb = packages.filter(|path| path.extension().is_some_and(|ext| ext == "deb"));
    let [deb] = &deb.collect::<Vec<_>>()[..] else { panic!("one package") };
    let dpkg = |args: &[&str]| {
        let mut command = system("dpkg");
        let root = format!("--root={}", system_root.0.display());
        stdout_of(command.args([&root, "--force-script-chrootless"]).args(args));
    };
    dpkg(&["-i", deb.to_str().unwrap()]);
    let installed = system_root.contents();
    for path in [
        "usr/bin/pfsnoop",
        "usr/share/man/man1/pfsnoop.1.gz",
        "usr/share/man/man1/pfsnoop-doctor.1.gz",
        "usr/share/bash-completion/completions/pfsnoop",
        "usr/share/zsh/vendor-completions/_pfsnoop",
        "usr/share/fish/vendor_completions.d/pfsnoop.fish",
        "usr/share/doc/pfsnoop/runbook.md",
        "usr/share/doc/pfsnoop/copyright",
    ] {
        assert!(installed.contains(&format!("./{path}")), "{path} in {installed:#?}");
    }
    let hidden = installed.iter().any(|path| path.contains("demo-web"));
    assert!(!hidden, "{installed:#?}");
    stdout_of(std::process::Command::new(system_root.0.join("usr/bin/pfsnoop")).arg("--help"));
    let bash = system_root.0.join("usr/share/bash-completion/completions/pfsnoop");
    stdout_of(system("bash").arg("-n").arg(bash));

    dpkg(&["--purge", "pfsnoop"]);
    let left: Vec<String> = system_root.contents();
    let left: Vec<&String> = left.iter().filter(|path| !path.starts_with("./var")).collect();
    assert!(left.is_empty(), "{left:#?}");
}
