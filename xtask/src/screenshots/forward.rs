//! `pfsnoop forward` with the native dialer.

use std::io::{BufRead as _, BufReader};
use std::net::{Ipv4Addr, TcpStream};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};

use anyhow::{Context as _, Result};
use rustix::process::{Pid, Signal, kill_process};

use super::client;
use crate::bench::Pod;

/// A running forward.
pub(super) struct Forward {
    pfsnoop: Child,
    /// Held open: pfsnoop ends when nobody reads what it prints.
    _stdout: BufReader<ChildStdout>,
    port: u16,
}

impl Forward {
    /// Starts a forward into the namespace of that process, and waits until it listens.
    pub(super) fn start(pfsnoop: &Path, pid: u32) -> Result<Self> {
        let mut command = Command::new(pfsnoop);
        command.args(["forward", &format!("pid/{pid}"), &format!(":{}", Pod::PORT)]);
        command.args(["--address", "127.0.0.1", "--dialer", "native", "--no-watch"]);
        command.stdin(Stdio::null()).stdout(Stdio::piped());
        let mut pfsnoop = command.spawn().with_context(|| format!("{command:?}"))?;
        let mut stdout = BufReader::new(pfsnoop.stdout.take().context("no stdout")?);
        let mut line = String::new();
        stdout.read_line(&mut line)?;
        // Forwarding from 127.0.0.1:43019 -> 8080
        let port = line.split(" -> ").next().and_then(|from| from.rsplit(':').next());
        let port = port.and_then(|port| port.parse().ok());
        let port = port.with_context(|| format!("pfsnoop forward does not listen: {line}"))?;
        Ok(Self { pfsnoop, _stdout: stdout, port })
    }

    /// Connects to the forwarded port.
    pub(super) fn connect(&self) -> Result<TcpStream> {
        TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).context("pfsnoop forward")
    }

    /// Requests the first bytes of the file, and waits for the end of the answer.
    pub(super) fn fetch(&self, bytes: u64) -> Result<()> {
        let stream = self.connect()?;
        client::fetch(&mut &stream, &mut &stream, bytes)
    }
}

impl Drop for Forward {
    fn drop(&mut self) {
        if let Some(pid) = Pid::from_raw(self.pfsnoop.id().cast_signed()) {
            let _ = kill_process(pid, Signal::TERM);
        }
        let _ = self.pfsnoop.wait();
    }
}
