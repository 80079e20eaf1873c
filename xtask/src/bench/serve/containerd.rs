//! The runtime, and the pod that it runs.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};

use super::cri::{SOCKET, call};
use super::image::{IMAGE, archive};
use super::message::Message;
use super::node::FOLDER;
use crate::bench::Pod;
use crate::run::stdout_of;

/// The pod's namespace and name.
pub(super) const NAMESPACE: &str = "bench";
pub(super) const NAME: &str = "web";

/// Bounds how long the daemon takes until it runs a pod.
const START_TIMEOUT: Duration = Duration::from_mins(1);

/// A negative oom_score_adj may be forbidden, and overlayfs does not stack on overlayfs.
const CONFIG: &str = r#"
version = 2
root = "/run/bench/containerd/root"
state = "/run/bench/containerd/state"
[grpc]
address = "/run/bench/containerd.sock"
[plugins."io.containerd.internal.v1.opt"]
path = "/run/bench/containerd/opt"
[plugins."io.containerd.grpc.v1.cri"]
sandbox_image = "IMAGE"
restrict_oom_score_adj = true
netns_mounts_under_state_dir = true
[plugins."io.containerd.grpc.v1.cri".containerd]
snapshotter = "native"
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
runtime_type = "io.containerd.runc.v2"
[plugins."io.containerd.grpc.v1.cri".cni]
bin_dir = "/usr/lib/cni"
conf_dir = "/run/bench/containerd"
"#;

const NETWORK: &str = r#"{"cniVersion": "0.4.0", "name": "bench0", "plugins": [{
    "type": "bridge", "bridge": "bench0",
    "ipam": {"type": "host-local", "ranges": [[{"subnet": "10.88.0.0/24"}]]}}]}"#;

/// The running daemon with its pod. The guard of the node ends all of its processes.
pub(super) struct Containerd {
    daemon: Child,
    /// The id of the pod's sandbox.
    pub(super) sandbox: String,
}

impl Containerd {
    /// Starts the daemon, and the pod with its cgroup below this one.
    pub(super) fn start(cgroup: &str) -> Result<Self> {
        let folder = Path::new(FOLDER).join("containerd");
        fs::create_dir(&folder)?;
        fs::write(folder.join("config.toml"), CONFIG.replace("IMAGE", IMAGE))?;
        fs::write(folder.join("1.conflist"), NETWORK)?;
        let log = File::create(log())?;
        let mut containerd = Command::new("containerd");
        containerd.arg("--config").arg(folder.join("config.toml"));
        containerd.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        let daemon = containerd.spawn().context("containerd")?;
        let mut started = Self { daemon, sandbox: String::new() };
        started.run_pod(&folder, cgroup).with_context(|| {
            let log = fs::read_to_string(self::log()).unwrap_or_default();
            let lines: Vec<&str> = log.lines().collect();
            format!(
                "the last lines of containerd:\n{}",
                lines[lines.len().saturating_sub(9)..].join("\n")
            )
        })?;
        Ok(started)
    }

    /// The daemon's pid.
    pub(super) fn pid(&self) -> u32 {
        self.daemon.id()
    }

    fn run_pod(&mut self, folder: &Path, cgroup: &str) -> Result<()> {
        self.wait_for(|| call("Status", &Message::default()))?;
        let image = archive(folder)?;
        let mut import = Command::new("ctr");
        import.args(["--address", SOCKET, "-n", "k8s.io", "images", "import", "--snapshotter"]);
        stdout_of(import.arg("native").arg(image))?;
        let pod = pod(cgroup);
        // CRI knows the image a moment after its import.
        let run = Message::default().message(1, &pod);
        self.sandbox = self.wait_for(|| call("RunPodSandbox", &run))?;
        let create = Message::default().text(1, &self.sandbox);
        let create = create.message(2, &server()?).message(3, &pod);
        let container = call("CreateContainer", &create)?;
        call("StartContainer", &Message::default().text(1, &container)).map(drop)
    }

    fn wait_for<T>(&mut self, ask: impl Fn() -> Result<T>) -> Result<T> {
        let deadline = Instant::now() + START_TIMEOUT;
        loop {
            if let Some(status) = self.daemon.try_wait()? {
                bail!("containerd ended with {status}");
            }
            match ask() {
                Ok(answer) => return Ok(answer),
                Err(error) => ensure!(Instant::now() < deadline, error),
            }
            std::thread::sleep(Duration::from_millis(200));
        }
    }
}

fn log() -> PathBuf {
    Path::new(FOLDER).join("containerd.log")
}

/// `PodSandboxConfig`
fn pod(cgroup: &str) -> Message {
    let uid = "87654321-9abc-def0-1234-56789abcdef0";
    let metadata = Message::default().text(1, NAME).text(2, uid).text(3, NAMESPACE);
    let linux = Message::default().text(1, &format!("/{cgroup}"));
    Message::default().message(1, &metadata).message(8, &linux)
}

/// `ContainerConfig` of the web server: this program, with the libraries of this machine. busybox's own
/// server starts a process for each request, and would be what is measured.
fn server() -> Result<Message> {
    let program = std::env::current_exe()?.display().to_string();
    let mut server = Message::default().message(1, &Message::default().text(1, "web"));
    server = server.message(2, &Message::default().text(1, IMAGE));
    for word in ["/server", "serve", &Pod::PORT.to_string()] {
        server = server.text(3, word);
    }
    let libraries =
        ["/lib", "/lib64", "/usr/lib"].into_iter().filter(|path| Path::new(path).exists());
    for (from, to) in libraries.map(|path| (path, path)).chain([(program.as_str(), "/server")]) {
        let mount = Message::default().text(1, to).text(2, from);
        server = server.message(7, &mount);
    }
    Ok(server)
}

/// The guard ends the pod.
impl Drop for Containerd {
    fn drop(&mut self) {
        let sandbox = Message::default().text(1, &self.sandbox);
        let _ = call("StopPodSandbox", &sandbox).and_then(|_| call("RemovePodSandbox", &sandbox));
        let _ = self.daemon.kill();
        let _ = self.daemon.wait();
    }
}
