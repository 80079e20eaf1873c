//! A server, and the ways to it that are compared.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use rustix::net::sockopt::{Timeout, set_socket_timeout};
use rustix::thread::gettid;

use crate::dist;
use crate::run::target_dir;

/// How long anything may take.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);

/// A relay that runs, or none.
pub(super) struct Relay {
    pub(super) name: &'static str,
    /// Where clients connect.
    port: u16,
    process: Option<Child>,
}

/// All of them, on the way to that server; the one without a relay first.
pub(super) fn all(server: &TcpListener) -> Result<Vec<Relay>> {
    let target = server.local_addr()?.port();
    // This thread's, for this process itself may be elsewhere.
    let netns =
        format!("netns//proc/{}/task/{}/ns/net", std::process::id(), gettid().as_raw_nonzero());
    let splice = |port: u16| {
        let mut pfsnoop = Command::new(dist::binary());
        pfsnoop.args(["forward", &netns, &format!("{port}:{target}")]);
        pfsnoop.args(["--dialer", "native", "--no-watch"]);
        pfsnoop
    };
    let sockmap = |port: u16| {
        let mut sockmap = Command::new(target_dir().join("release/examples/sockmap"));
        sockmap.args([port.to_string(), target.to_string()]);
        sockmap
    };
    Ok(vec![
        Relay { name: "no relay", port: target, process: None },
        Relay::start("splice: pfsnoop --dialer native", splice)?,
        Relay::start("sockmap", sockmap)?,
    ])
}

impl Relay {
    fn start(name: &'static str, command: impl Fn(u16) -> Command) -> Result<Self> {
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
        let mut command = command(port);
        command.stdin(Stdio::null()).stdout(Stdio::null());
        let process = command.spawn().with_context(|| format!("{command:?}"))?;
        Ok(Self { name, port, process: Some(process) })
    }

    /// A connection through it to that server: the client's end, and the server's once the client
    /// has spoken.
    pub(super) fn connect(&self, server: &TcpListener) -> Result<(TcpStream, TcpStream)> {
        let deadline = Instant::now() + PATIENCE;
        let mut near = loop {
            match TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)) {
                // It has just been started.
                Err(_) if Instant::now() < deadline => {
                    std::thread::sleep(Duration::from_millis(20));
                }
                stream => break stream?,
            }
        };
        near.write_all(b"?")?;
        set_socket_timeout(server, Timeout::Recv, Some(PATIENCE))?;
        let (mut far, _) = server.accept().with_context(|| format!("no way by {}", self.name))?;
        for end in [&near, &far] {
            end.set_read_timeout(Some(PATIENCE))?;
        }
        far.read_exact(&mut [0])?;
        Ok((near, far))
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        if let Some(process) = &mut self.process {
            let _ = process.kill();
            let _ = process.wait();
        }
    }
}
