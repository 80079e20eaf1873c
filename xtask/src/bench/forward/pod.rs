//! The target of the forwards: a web server alone in a network namespace.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

use super::GIB;
use super::client::{KEEP, LENGTH};
use crate::run::{stdout_of, target_dir};

/// The page of our own server.
const PAGE: &[u8] = b"a small page\n";

/// The most connections that our own server serves at the same time. A thread for each waits from the
/// start: to start one takes as long as to answer.
const SERVED: usize = 512;

/// A running server.
pub(crate) struct Pod {
    server: Child,
    files: Option<PathBuf>,
}

impl Pod {
    /// The port that the server listens on.
    pub(crate) const PORT: u16 = 8080;

    /// busybox's web server, with a small page and with `/big`, a file of `size` bytes. It starts a
    /// process for each request.
    pub(crate) fn with_busybox(size: u64) -> Result<Self> {
        let files = target_dir().join("bench-forward");
        std::fs::create_dir_all(&files)?;
        std::fs::write(files.join("index.html"), "a small page\n")?;
        std::fs::File::create(files.join("big"))?.set_len(size)?;
        let mut server = Command::new("busybox");
        server.args(["httpd", "-f", "-p", &Self::PORT.to_string(), "-h"]).arg(&files);
        Self::start(&server, Some(files))
    }

    /// A server in Rust, with a small page only. busybox's accept queue has room for nine
    /// connections and drops the rest of hundreds at once; this server takes all.
    pub(crate) fn with_own_server() -> Result<Self> {
        let mut server = Command::new(std::env::current_exe()?);
        server.args(["serve", &Self::PORT.to_string()]);
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

    /// The server's process, which is inside the network namespace.
    pub(crate) fn pid(&self) -> u32 {
        self.server.id()
    }

    fn wait_until_it_listens(&self) -> Result<()> {
        let deadline = Instant::now() + Duration::from_secs(10);
        let pid = self.pid().to_string();
        while Instant::now() < deadline {
            let listening =
                stdout_of(Command::new("nsenter").args(["-t", &pid, "-n", "ss", "-Hltn"]));
            if listening.is_ok_and(|sockets| sockets.contains(&format!(":{}", Self::PORT))) {
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

/// `cargo xtask serve PORT`: answers each request with a small page, or with `/big` of 1 GiB, until a
/// signal ends it.
pub(crate) fn serve(port: u16) -> Result<()> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))?;
    let serve = || -> std::io::Result<()> {
        for stream in listener.incoming() {
            // What a client does is its own fault.
            drop(answer(stream?));
        }
        Ok(())
    };
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..SERVED).map(|_| scope.spawn(serve)).collect();
        for thread in threads {
            thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
        }
        Ok(())
    })
}

fn answer(mut stream: TcpStream) -> std::io::Result<()> {
    let mut request = [0; 1024];
    let read = stream.read(&mut request)?;
    let request = String::from_utf8_lossy(&request[..read]);
    let is_big = request.starts_with("GET /big ");
    let length = if is_big { GIB } else { PAGE.len() as u64 };
    let mut head = format!("HTTP/1.0 200 OK\r\n{LENGTH}{length}\r\n\r\n").into_bytes();
    if !is_big {
        head.extend_from_slice(PAGE);
    }
    stream.write_all(&head)?;
    if is_big {
        let part = vec![0; 1 << 18];
        (0..GIB / part.len() as u64).try_for_each(|_| stream.write_all(&part))?;
    }
    if request.contains(KEEP) {
        stream.read_to_end(&mut Vec::new())?;
    }
    Ok(())
}
