//! What is forwarded to: a web server alone in a network namespace.

use std::path::PathBuf;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

use crate::run::{quiet, target_dir};

/// Where it serves.
pub(super) const PORT: u16 = 8080;

/// A server of a small page and of `/big`.
pub(super) struct Pod {
    server: Child,
    files: PathBuf,
}

impl Pod {
    /// Serves a file of that size.
    pub(super) fn start(size: u64) -> Result<Self> {
        let files = target_dir().join("bench-forward");
        std::fs::create_dir_all(&files)?;
        std::fs::write(files.join("index.html"), "a small page\n")?;
        std::fs::File::create(files.join("big"))?.set_len(size)?;
        let serve = format!("ip link set lo up; exec busybox httpd -f -p {PORT} -h \"$0\"");
        let mut command = Command::new("unshare");
        command.args(["--net", "sh", "-c", &serve]).arg(&files);
        let pod = Self { server: command.spawn().context("unshare")?, files };
        pod.wait_until_it_listens()?;
        Ok(pod)
    }

    /// The server's process, whose network namespace it is.
    pub(super) fn pid(&self) -> u32 {
        self.server.id()
    }

    fn wait_until_it_listens(&self) -> Result<()> {
        let deadline = Instant::now() + Duration::from_secs(10);
        let pid = self.pid().to_string();
        while Instant::now() < deadline {
            let listening = quiet(Command::new("nsenter").args(["-t", &pid, "-n", "ss", "-Hltn"]));
            if listening.is_ok_and(|sockets| sockets.contains(&format!(":{PORT}"))) {
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        bail!("the web server does not listen")
    }
}

impl Drop for Pod {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
        let _ = std::fs::remove_dir_all(&self.files);
    }
}
