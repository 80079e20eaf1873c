//! A Docker daemon for one test, with its own socket and data. It leaves the host's network alone.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::image::{busybox_root, serve};
use super::parts::DockerVersion;
use crate::common::running::Running;
use crate::common::temp::temp_path;
use crate::common::{eventually, output, stdout_of, system};

/// A running daemon. Dropping it ends it and its containers.
pub struct Docker {
    dir: PathBuf,
    version: DockerVersion,
    daemon: Running,
}

impl Docker {
    /// Starts a daemon with an image, `busybox`. `name` tells the test's folder from others.
    pub fn start(name: &str) -> Self {
        Self::start_version(name, DockerVersion::default())
    }

    /// The same with this version.
    pub fn start_version(name: &str, version: DockerVersion) -> Self {
        let dir = dir_of(name);
        std::fs::create_dir_all(&dir).unwrap();
        let path = |name: &str| dir.join(name).display().to_string();
        let mut dockerd = version.program("dockerd");
        let daemon = Running::start(dockerd.args(version.options).args([
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
            // Logs each request.
            "--debug",
        ]));
        let docker = Self { dir, version, daemon };
        eventually("the Docker daemon", || {
            output(docker.client().arg("info")).status.success().then_some(())
        });
        docker.import_busybox();
        docker
    }

    /// `docker`, for this daemon.
    pub fn client(&self) -> Command {
        let mut command = self.version.program("docker");
        command.arg("--host").arg(self.host());
        command
    }

    /// The address at which the daemon listens, as `DOCKER_HOST`.
    pub fn host(&self) -> String {
        host_in(&self.dir)
    }

    /// The daemon's socket.
    pub fn socket(&self) -> PathBuf {
        self.dir.join("docker.sock")
    }

    /// The first number of the daemon's version.
    pub fn major_version(&self) -> u32 {
        let mut client = self.client();
        let version = stdout_of(client.args(["version", "--format", "{{.Server.Version}}"]));
        version.split('.').next().unwrap().parse().unwrap()
    }

    /// The address at which a daemon of that name will listen.
    pub fn host_of(name: &str) -> String {
        host_in(&dir_of(name))
    }

    /// How often clients have asked for the container with that id.
    pub fn inspections(&self, id: &str) -> usize {
        let request = format!("/containers/{id}/json");
        self.daemon.stderr().iter().filter(|line| line.contains(&request)).count()
    }

    /// The socket of the containerd that dockerd started. Its CRI plugin is disabled.
    pub fn own_containerd(&self) -> PathBuf {
        self.dir.join("exec/containerd/containerd.sock")
    }

    /// Runs a shell command of busybox in a new container without network. Returns its pid.
    pub fn run(&self, name: &str, shell: &str) -> u32 {
        self.run_with(name, "none", &[], shell)
    }

    /// The same with a network and labels.
    pub fn run_with(&self, name: &str, network: &str, labels: &[String], shell: &str) -> u32 {
        let mut run = self.client();
        run.args(["run", "--detach", "--name", name, "--network", network]);
        run.args(labels.iter().flat_map(|label| ["--label", label]));
        stdout_of(run.args(["busybox", "/bin/sh", "-c", shell]));
        let pid = stdout_of(self.client().args(["inspect", "--format", "{{.State.Pid}}", name]));
        pid.trim().parse().unwrap()
    }

    /// Runs a pause and an app container as cri-dockerd makes a pod: `NAME` in the namespace `shop`,
    /// with a web page on port 8080. Returns the pid of the pause process.
    pub fn run_pod(&self, name: &str) -> u32 {
        let labels = |kind: &str, container: &str| {
            [
                format!("io.kubernetes.pod.name={name}"),
                "io.kubernetes.pod.namespace=shop".to_owned(),
                format!("io.kubernetes.pod.uid={UID}"),
                format!("io.kubernetes.docker.type={kind}"),
                format!("io.kubernetes.container.name={container}"),
            ]
        };
        let pause = container_name("POD", name);
        let pid = self.run_with(&pause, "none", &labels("podsandbox", "POD"), "exec sleep 1000");
        let network = format!("container:{pause}");
        let web = container_name("web", name);
        self.run_with(&web, &network, &labels("container", "web"), &serve("in the pod", 8080));
        pid
    }

    /// The full id of a container.
    pub fn id(&self, name: &str) -> String {
        let id = stdout_of(self.client().args(["inspect", "--format", "{{.Id}}", name]));
        id.trim().to_owned()
    }

    /// Kills a container.
    pub fn kill(&self, name: &str) {
        stdout_of(self.client().args(["kill", name]));
    }

    fn import_busybox(&self) {
        let tar = busybox_root(&self.dir);
        stdout_of(self.client().arg("import").arg(&tar).arg("busybox"));
    }
}

impl DockerVersion {
    /// A program of it, which finds the others.
    fn program(&self, name: &str) -> Command {
        let path = format!("{}:/usr/sbin:/usr/bin:/sbin:/bin", self.programs.display());
        let mut command = system(name);
        command.env("PATH", path);
        command
    }
}

/// The uid of every pod.
pub const UID: &str = "12345678-9abc-def0-1234-56789abcdef0";

/// Docker's name for a container of a pod in the namespace `shop`, as cri-dockerd forms it.
pub fn container_name(container: &str, pod: &str) -> String {
    format!("k8s_{container}_{pod}_shop_{UID}_0")
}

fn dir_of(name: &str) -> PathBuf {
    temp_path(name)
}

fn host_in(dir: &Path) -> String {
    format!("unix://{}", dir.join("docker.sock").display())
}

impl Drop for Docker {
    fn drop(&mut self) {
        // On SIGTERM, dockerd waits ten seconds for each container that ignores the signal.
        let _ = system("sh")
            .env("DOCKER_HOST", self.host())
            .args(["-c", "docker ps --all --quiet | xargs -r docker rm --force"])
            .output();
        // Ends the containerd that dockerd started, too.
        self.daemon.signal(rustix::process::Signal::TERM);
        self.daemon.wait();
        // dockerd leaves this mount behind after a container in the host's network.
        let _ = system("umount").arg("--quiet").arg(self.dir.join("exec/netns/default")).output();
        let _ = std::fs::remove_dir_all(&self.dir);
    }
}
