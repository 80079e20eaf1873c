//! A Docker daemon of the test's own: own socket, own data, no network of the host's touched.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::image::busybox_root;
use super::{eventually, output, running::Running, stdout_of, system};

/// A running daemon; dropping it ends it and what runs in it.
pub struct Docker {
    dir: PathBuf,
    daemon: Running,
}

impl Docker {
    /// Starts a daemon below a folder of this name, and gives it an image, `busybox`.
    pub fn start(name: &str) -> Self {
        let dir = dir_of(name);
        std::fs::create_dir_all(&dir).unwrap();
        let path = |name: &str| dir.join(name).display().to_string();
        let daemon = Running::start(system("dockerd").args([
            "--host",
            &format!("unix://{}", path("docker.sock")),
            "--data-root",
            &path("data"),
            "--exec-root",
            &path("exec"),
            "--pidfile",
            &path("pid"),
            "--bridge=none",
            "--iptables=false",
            "--ip6tables=false",
            "--storage-driver=vfs",
            // It tells of each request.
            "--debug",
        ]));
        let docker = Self { dir, daemon };
        eventually("the Docker daemon", || {
            output(docker.client().arg("info")).status.success().then_some(())
        });
        docker.import_busybox();
        docker
    }

    /// `docker`, for this daemon.
    pub fn client(&self) -> Command {
        let mut command = system("docker");
        command.arg("--host").arg(self.host());
        command
    }

    /// Where it listens, as `DOCKER_HOST`.
    pub fn host(&self) -> String {
        host_in(&self.dir)
    }

    /// Where the daemon of that name listens, or will.
    pub fn host_of(name: &str) -> String {
        host_in(&dir_of(name))
    }

    /// How often it has been asked for the container of that id.
    pub fn inspections(&self, id: &str) -> usize {
        let request = format!("/containers/{id}/json");
        self.daemon.stderr().iter().filter(|line| line.contains(&request)).count()
    }

    /// The socket of the containerd that it has started, whose CRI is disabled.
    pub fn own_containerd(&self) -> PathBuf {
        self.dir.join("exec/containerd/containerd.sock")
    }

    /// Runs a shell command of busybox in a new container without network; returns its pid.
    pub fn run(&self, name: &str, shell: &str) -> u32 {
        self.run_with(name, "none", &[], shell)
    }

    /// The same with a network of its own choice and labels.
    pub fn run_with(&self, name: &str, network: &str, labels: &[String], shell: &str) -> u32 {
        let mut run = self.client();
        run.args(["run", "--detach", "--name", name, "--network", network]);
        run.args(labels.iter().flat_map(|label| ["--label", label]));
        stdout_of(run.args(["busybox", "/bin/sh", "-c", shell]));
        let pid = stdout_of(self.client().args(["inspect", "--format", "{{.State.Pid}}", name]));
        pid.trim().parse().unwrap()
    }

    /// Ends a container, and with it its process.
    pub fn kill(&self, name: &str) {
        stdout_of(self.client().args(["kill", name]));
    }

    fn import_busybox(&self) {
        let tar = busybox_root(&self.dir);
        stdout_of(self.client().arg("import").arg(&tar).arg("busybox"));
    }
}

fn dir_of(name: &str) -> PathBuf {
    std::env::temp_dir().join(format!("pfsnoop-{name}-{}", std::process::id()))
}

fn host_in(dir: &Path) -> String {
    format!("unix://{}", dir.join("docker.sock").display())
}

impl Drop for Docker {
    fn drop(&mut self) {
        // A daemon that is told to end waits ten seconds for each container that does not.
        let _ = system("sh")
            .env("DOCKER_HOST", self.host())
            .args(["-c", "docker ps --all --quiet | xargs -r docker rm --force"])
            .output();
        // Ends the containerd that it started, too.
        self.daemon.signal(rustix::process::Signal::TERM);
        self.daemon.wait();
        // What it leaves behind of a container on the host's network.
        let _ = system("umount").arg("--quiet").arg(self.dir.join("exec/netns/default")).output();
        let _ = std::fs::remove_dir_all(&self.dir);
    }
}
