//! A service of Podman for one test, with its own socket, data and settings. It leaves the host's
//! network alone.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use super::image::busybox_root;
use super::parts;
use crate::common::running::Running;
use crate::common::temp::temp_path;
use crate::common::{TEST_TIMEOUT, eventually, output, stdout_of, system};

/// A running service. Dropping it ends it and its containers.
pub struct Podman {
    dir: PathBuf,
    programs: PathBuf,
    service: Running,
}

impl Podman {
    /// Starts a service with an image, `busybox`. `name` tells the test's folder from others.
    pub fn start(name: &str) -> Self {
        Self::start_version(name, parts::podman())
    }

    /// The same with the Podman in this folder.
    pub fn start_version(name: &str, programs: PathBuf) -> Self {
        let dir = temp_path(name);
        write_settings(&dir, &programs);
        let socket = format!("unix://{}", dir.join("podman.sock").display());
        let mut service = client(&dir, &programs);
        let service = Running::start(service.args(["system", "service", "--time", "0", &socket]));
        let podman = Self { dir, programs, service };
        eventually("the service of Podman", || podman.socket().exists().then_some(()));
        let tar = busybox_root(&podman.dir);
        stdout_of(podman.client().arg("import").arg(&tar).arg("busybox"));
        podman
    }

    /// `podman`, with the data of this service.
    pub fn client(&self) -> Command {
        client(&self.dir, &self.programs)
    }

    /// Where the service listens.
    pub fn socket(&self) -> PathBuf {
        self.dir.join("podman.sock")
    }

    /// The same as `CONTAINER_HOST` or `--runtime-endpoint`.
    pub fn endpoint(&self) -> String {
        format!("unix://{}", self.socket().display())
    }

    /// Makes a pod whose containers share a network namespace in which only loopback is. Returns the
    /// pod's id.
    pub fn create_pod(&self, name: &str) -> String {
        self.create_pod_with(name, &["--network", "none"])
    }

    /// Makes a pod with these options. Returns its id.
    pub fn create_pod_with(&self, name: &str, options: &[&str]) -> String {
        let mut create = self.client();
        create.args(["pod", "create", "--name", name]).args(options);
        stdout_of(&mut create).trim().to_owned()
    }

    /// Runs a shell command of busybox in a new container of a pod. Returns its pid.
    pub fn run_in(&self, pod: &str, name: &str, shell: &str) -> u32 {
        self.run_with(name, &["--pod", pod], shell)
    }

    /// Runs a shell command in a new container without network and pod. Returns its pid.
    pub fn run(&self, name: &str, shell: &str) -> u32 {
        self.run_with(name, &["--network", "none"], shell)
    }

    /// The same with these options.
    pub fn run_with(&self, name: &str, options: &[&str], shell: &str) -> u32 {
        let mut run = self.client();
        run.args(["run", "--detach", "--name", name]).args(options);
        stdout_of(run.args(["busybox", "/bin/sh", "-c", shell]));
        self.inspect(name, "{{.State.Pid}}").parse().unwrap()
    }

    /// What Podman knows about a container.
    pub fn inspect(&self, name: &str, format: &str) -> String {
        let inspected = stdout_of(self.client().args(["inspect", "--format", format, name]));
        inspected.trim().to_owned()
    }

    /// Kills a container, and waits until Podman knows that it has ended.
    pub fn kill(&self, name: &str) {
        stdout_of(self.client().args(["kill", name]));
        stdout_of(self.client().args(["wait", name]));
    }

    /// Runs another command of `podman`.
    pub fn command(&self, args: &[&str]) {
        stdout_of(self.client().args(args));
    }
}

/// Settings that need nothing in /etc. This machine may not let a program raise its limits, so the
/// containers get lower ones. The locks are in files because all Podmans of a machine would share
/// the ones in memory.
fn write_settings(dir: &Path, programs: &Path) {
    let home = dir.join("home/.config/containers");
    std::fs::create_dir_all(&home).unwrap();
    std::fs::create_dir_all(dir.join("tmp")).unwrap();
    let policy = r#"{"default": [{"type": "insecureAcceptAnything"}]}"#;
    std::fs::write(home.join("policy.json"), policy).unwrap();
    let runc = stdout_of(system("sh").args(["-c", "PATH=$PATH:/usr/sbin command -v runc"]));
    let (programs, runc) = (programs.display(), runc.trim());
    let settings = format!(
        "[containers]\n\
         default_ulimits = [\"nofile=1024:1024\", \"nproc=1024:1024\"]\n\
         [engine]\n\
         runtime = \"runc\"\n\
         cgroup_manager = \"cgroupfs\"\n\
         events_logger = \"file\"\n\
         lock_type = \"file\"\n\
         conmon_path = [\"{programs}/conmon\"]\n\
         helper_binaries_dir = [\"{programs}\"]\n\
         [engine.runtimes]\n\
         runc = [\"{runc}\"]\n"
    );
    std::fs::write(dir.join("containers.conf"), settings).unwrap();
}

fn client(dir: &Path, programs: &Path) -> Command {
    let mut command = system("podman");
    // Podman of this version, and `sh` and the like of the system.
    command.env("PATH", format!("{}:/usr/sbin:/usr/bin:/sbin:/bin", programs.display()));
    command.env("CONTAINERS_CONF", dir.join("containers.conf"));
    command.env("HOME", dir.join("home")).env("TMPDIR", dir.join("tmp"));
    command.env("PODMAN_IGNORE_CGROUPSV1_WARNING", "1");
    for (option, folder) in [("--root", "data"), ("--runroot", "run"), ("--tmpdir", "state")] {
        command.arg(option).arg(dir.join(folder));
    }
    command.args(["--storage-driver", "vfs"]);
    command
}

impl Drop for Podman {
    fn drop(&mut self) {
        for kind in [&["pod", "rm"][..], &["rm"]] {
            let _ = output(self.client().args(kind).args(["--all", "--force", "--time", "0"]));
        }
        self.service.signal(rustix::process::Signal::TERM);
        self.service.wait();
        wait_for_monitors(&self.dir);
        let _ = std::fs::remove_dir_all(&self.dir);
    }
}

/// conmon ends after its container, and then runs `podman container cleanup`, which would make the
/// folder again.
fn wait_for_monitors(dir: &Path) {
    let pattern = format!("bin/(conmon|podman) .*{}", dir.display());
    let deadline = Instant::now() + TEST_TIMEOUT;
    while output(system("pgrep").args(["-f", &pattern])).status.success() {
        if Instant::now() > deadline {
            return;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}
