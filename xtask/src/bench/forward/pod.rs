//! What is forwarded to: a web server alone in a network namespace.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

use crate::run::{quiet, target_dir};

/// Where it serves.
pub(super) const PORT: u16 = 8080;

/// A server.
pub(super) struct Pod {
    server: Child,
    files: Option<PathBuf>,
}

impl Pod {
    /// busybox's, of a small page and of `/big`, which has that size: a process for each request.
    pub(super) fn with_busybox(size: u64) -> Result<Self> {
        let files = target_dir().join("bench-forward");
        std::fs::create_dir_all(&files)?;
        std::fs::write(files.join("index.html"), "a small page\n")?;
        std::fs::File::create(files.join("big"))?.set_len(size)?;
        let mut server = Command::new("busybox");
        server.args(["httpd", "-f", "-p", &PORT.to_string(), "-h"]).arg(&files);
        Self::start(&server, Some(files))
    }

    /// Our own, of a small page alone: hundreds of connections at once do not make it drop any, as
    /// they make busybox's, whose queue has room for nine.
    pub(super) fn with_crowds() -> Result<Self> {
        let mut server = Command::new(std::env::current_exe()?);
        server.args(["serve", &PORT.to_string()]);
        Self::start(&server, None)
    }

    fn start(server: &Command, files: Option<PathBuf>) -> Result<Self> {
        let mut command = Command::new("unshare");
        command.args(["--net", "sh", "-c", "ip link set lo up; exec \"$@\"", "sh"]);
        command.arg(server.get_program()).args(server.get_args());
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
        if let Some(files) = &self.files {
            let _ = std::fs::remove_dir_all(files);
        }
    }
}

/// `cargo xtask serve PORT`: answers each request with a small page, until it is ended.
pub(crate) fn serve(port: u16) -> Result<()> {
    let answer = |mut stream: TcpStream| {
        let _ = stream.read(&mut [0; 1024]);
        let _ = stream.write_all(b"HTTP/1.0 200 OK\r\n\r\na small page\n");
    };
    for stream in TcpListener::bind((Ipv4Addr::LOCALHOST, port))?.incoming() {
        let stream = stream?;
        std::thread::spawn(move || answer(stream));
    }
    Ok(())
}
