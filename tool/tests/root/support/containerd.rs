//! A containerd for one test, with its own socket, state, pod network and bridge.

use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU8, Ordering};

use rustix::process::Signal;

use super::cri::{
    ContainerConfig, ContainerMetadata, Cri, Image, LinuxPodConfig, NamespaceOptions, PodConfig,
    PodMetadata, SecurityContext,
};
use super::image::{busybox_archive, serve};
use super::processes::processes;
use crate::common::running::Running;
use crate::common::temp::temp_path;
use crate::common::{eventually, output, stdout_of, system};

const IMAGE: &str = "pfsnoop.test/busybox:1";

/// Numbers the daemons: each has its own subnet.
static STARTED: AtomicU8 = AtomicU8::new(0);

/// A running daemon. Dropping it ends it, its pods and its network.
pub struct Containerd {
    dir: PathBuf,
    /// The folder of its programs.
    programs: PathBuf,
    bridge: String,
    daemon: Running,
    cri: Cri,
    sandboxes: Mutex<Vec<String>>,
}

/// A pod that the daemon runs.
pub struct Pod {
    /// The id of its sandbox.
    pub sandbox: String,
    /// The id of its only container.
    pub web: String,
}

impl Containerd {
    /// Starts a daemon with an image. `name` tells the test's folder from others.
    pub fn start(name: &str) -> Self {
        Self::start_from(name, Path::new("/usr/bin"))
    }

    /// The same with the programs of this folder.
    pub fn start_from(name: &str, programs: &Path) -> Self {
        let dir = temp_path(name);
        std::fs::create_dir_all(dir.join("cni")).unwrap();
        let number = STARTED.fetch_add(1, Ordering::Relaxed);
        let bridge = format!("pfs{}n{number}", std::process::id());
        let path = |name: &str| dir.join(name).display().to_string();
        std::fs::write(dir.join("cni/1.conflist"), cni(&bridge, number, &path("ipam"))).unwrap();
        std::fs::write(dir.join("config.toml"), config(&dir.display().to_string())).unwrap();
        let (daemon, cri) = start_daemon(&dir, programs);
        let archive = busybox_archive(&dir, IMAGE);
        let started = Self {
            dir,
            programs: programs.to_owned(),
            bridge,
            daemon,
            cri,
            sandboxes: Mutex::default(),
        };
        started.import(&archive);
        started
    }

    /// Imports the images of an archive.
    pub fn import(&self, archive: &Path) {
        let mut import = system("ctr");
        import.arg("--address").arg(self.socket()).args(["-n", "k8s.io", "images", "import"]);
        // Newer ones import through a service that has to be configured.
        stdout_of(import.args(["--snapshotter", "native"]).arg(archive));
    }

    /// The daemon's socket, as `--runtime-endpoint` takes it.
    pub fn endpoint(&self) -> String {
        format!("unix://{}", self.socket().display())
    }

    /// The daemon's socket.
    pub fn socket(&self) -> PathBuf {
        self.dir.join("containerd.sock")
    }

    pub fn cri(&self) -> &Cri {
        &self.cri
    }

    /// Stops the daemon with SIGTERM, as systemd does. Its containers go on.
    pub fn terminate(&mut self) {
        self.daemon.signal(Signal::TERM);
        self.daemon.wait();
    }

    /// Starts the daemon again.
    pub fn start_again(&mut self) {
        (self.daemon, self.cri) = start_daemon(&self.dir, &self.programs);
    }

    /// Runs a pod whose container, `web`, runs this shell command.
    pub fn run_command(&self, namespace: &str, name: &str, shell: &str) -> Pod {
        self.run_shell(&self.pod_config(namespace, name, 0), shell)
    }

    /// Runs a pod with a container, `web`, that serves this page on that port.
    pub fn run_pod(&self, namespace: &str, name: &str, page: &str, port: u16) -> Pod {
        self.run(&self.pod_config(namespace, name, 0), page, port)
    }

    /// The same with this uid. Every other pod has the same one.
    pub fn run_pod_with_uid(
        &self,
        namespace: &str,
        name: &str,
        uid: &str,
        page: &str,
        port: u16,
    ) -> Pod {
        let mut config = self.pod_config(namespace, name, 0);
        uid.clone_into(&mut config.metadata.as_mut().unwrap().uid);
        self.run(&config, page, port)
    }

    /// Runs the container of a pod again, as a new container in the same sandbox. The kubelet does
    /// the same. Returns its id.
    pub fn run_web_again(&self, (namespace, name): (&str, &str), pod: &Pod, page: &str) -> String {
        let config = self.pod_config(namespace, name, 0);
        self.run_web(&config, &pod.sandbox, &serve(page, 8080), 1)
    }

    /// The same in the node's network.
    pub fn run_host_pod(&self, namespace: &str, name: &str, page: &str, port: u16) -> Pod {
        self.run(&self.pod_config(namespace, name, 2), page, port)
    }

    /// A pod with its cgroup below the daemon's. `network` is as in [`NamespaceOptions`].
    pub fn pod_config(&self, namespace: &str, name: &str, network: i32) -> PodConfig {
        let options = NamespaceOptions { network, pid: 0 };
        let security_context = Some(SecurityContext { namespace_options: Some(options) });
        let (name, uid, namespace) = (name.to_owned(), UID.to_owned(), namespace.to_owned());
        PodConfig {
            metadata: Some(PodMetadata { name, uid, namespace }),
            log_directory: String::new(),
            linux: Some(LinuxPodConfig { cgroup_parent: self.cgroup(), security_context }),
        }
    }

    /// The parent cgroup of the pods. It is the daemon's own, so that it can be removed.
    fn cgroup(&self) -> String {
        format!("/{}", self.bridge)
    }

    fn run(&self, config: &PodConfig, page: &str, port: u16) -> Pod {
        self.run_shell(config, &serve(page, port))
    }

    fn run_shell(&self, config: &PodConfig, shell: &str) -> Pod {
        let sandbox = self.run_sandbox(config);
        let web = self.run_web(config, &sandbox, shell, 0);
        Pod { sandbox, web }
    }

    /// Runs a sandbox, which is removed at the end. Returns its id.
    pub fn run_sandbox(&self, config: &PodConfig) -> String {
        // CRI knows the image a moment after its import.
        let sandbox = eventually("a sandbox", || self.cri.run_sandbox(config).ok());
        self.sandboxes.lock().unwrap().push(sandbox.clone());
        sandbox
    }

    fn run_web(&self, config: &PodConfig, sandbox: &str, shell: &str, attempt: u32) -> String {
        let web = ContainerConfig {
            metadata: Some(ContainerMetadata { name: "web".to_owned(), attempt }),
            image: Some(Image { image: IMAGE.to_owned() }),
            command: ["/bin/sh", "-c", shell].map(str::to_owned).into(),
            ..ContainerConfig::default()
        };
        self.cri.run_container(sandbox, config, web)
    }

    /// Pid of a process in the pod's container.
    pub fn pid_in(pod: &Pod) -> u32 {
        let is_in = |pid: u32| {
            let cgroup = std::fs::read_to_string(format!("/proc/{pid}/cgroup"));
            cgroup.is_ok_and(|cgroup| cgroup.contains(&pod.web))
        };
        let mut pids = processes().into_iter().map(|(pid, ..)| pid);
        pids.find(|&pid| is_in(pid)).expect("a process in the container")
    }

    /// Stops the daemon with SIGSTOP. Its containers go on.
    pub fn freeze(&self) -> Frozen<'_> {
        self.daemon.signal(Signal::STOP);
        Frozen(&self.daemon)
    }

    /// Stops a pod. The daemon still lists it.
    pub fn stop_pod(&self, pod: &Pod) {
        self.cri.by_id("StopPodSandbox", &pod.sandbox).unwrap();
    }
}

/// The daemon is stopped until this is dropped.
pub struct Frozen<'a>(&'a Running);

impl Drop for Frozen<'_> {
    fn drop(&mut self) {
        self.0.signal(Signal::CONT);
    }
}

impl Drop for Containerd {
    fn drop(&mut self) {
        for sandbox in self.sandboxes.lock().unwrap().iter() {
            let _ = self.cri.by_id("StopPodSandbox", sandbox);
            let _ = self.cri.by_id("RemovePodSandbox", sandbox);
        }
        self.daemon.signal(Signal::TERM);
        self.daemon.wait();
        let dir = self.dir.display().to_string();
        for (pid, _, line) in processes() {
            // A shim that did not see that its pod ended.
            if line.contains("containerd-shim") && line.contains(&dir) {
                let _ = output(system("kill").args(["-KILL", &pid.to_string()]));
            }
        }
        let mounts = std::fs::read_to_string("/proc/self/mounts").unwrap_or_default();
        let points = mounts.lines().filter_map(|line| line.split(' ').nth(1));
        for point in points.filter(|point| point.starts_with(&dir)) {
            let _ = output(system("umount").args(["--lazy", point]));
        }
        let _ = output(system("ip").args(["link", "delete", &self.bridge]));
        let _ = std::fs::remove_dir_all(&self.dir);
        // cgroup v1 has one such folder in each hierarchy.
        let hierarchies = std::fs::read_dir("/sys/fs/cgroup").into_iter().flatten().flatten();
        let roots = hierarchies.map(|entry| entry.path()).chain(["/sys/fs/cgroup".into()]);
        for root in roots {
            let _ = std::fs::remove_dir(format!("{}{}", root.display(), self.cgroup()));
        }
        // libcni keeps its results there. The folders are empty once every pod is gone.
        for dir in ["/var/lib/cni/results", "/var/lib/cni"] {
            let _ = std::fs::remove_dir(dir);
        }
    }
}

fn start_daemon(dir: &Path, programs: &Path) -> (Running, Cri) {
    let config = dir.join("config.toml").display().to_string();
    let mut containerd = system(programs.join("containerd").to_str().unwrap());
    // Its shim must be of the same version.
    let path = format!("{}:/usr/sbin:/usr/bin:/sbin:/bin", programs.display());
    let daemon = Running::start(containerd.args(["--config", &config]).env("PATH", path));
    let cri = eventually("containerd", || {
        let cri = Cri::connect(&dir.join("containerd.sock")).ok()?;
        cri.by_id("Status", "").is_ok().then_some(cri)
    });
    (daemon, cri)
}

/// The uid of every pod.
pub const UID: &str = "87654321-9abc-def0-1234-56789abcdef0";

/// Works inside a container: there, a negative oom_score_adj may be forbidden, and overlayfs does
/// not stack on overlayfs.
fn config(dir: &str) -> String {
    format!(
        r#"
version = 2
root = "{dir}/root"
state = "{dir}/state"
[grpc]
address = "{dir}/containerd.sock"
[plugins."io.containerd.internal.v1.opt"]
path = "{dir}/opt"
[plugins."io.containerd.grpc.v1.cri"]
sandbox_image = "{IMAGE}"
restrict_oom_score_adj = true
netns_mounts_under_state_dir = true
[plugins."io.containerd.grpc.v1.cri".containerd]
snapshotter = "native"
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
runtime_type = "io.containerd.runc.v2"
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
Root = "{dir}/runc"
[plugins."io.containerd.grpc.v1.cri".cni]
bin_dir = "/usr/lib/cni"
conf_dir = "{dir}/cni"
"#
    )
}

fn cni(bridge: &str, number: u8, data: &str) -> String {
    serde_json::json!({
        "cniVersion": "0.4.0",
        "name": bridge,
        "plugins": [{
            "type": "bridge",
            "bridge": bridge,
            "ipam": {
                "type": "host-local",
                "dataDir": data,
                "ranges": [[{"subnet": format!("10.251.{number}.0/24")}]],
            },
        }],
    })
    .to_string()
}
