//! The client. It is a process of its own, so that it can also run inside the pod's network
//! namespace.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Ipv4Addr, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use serde::{Deserialize, Serialize};

/// Bounds the wait for each part of an answer.
const READ_TIMEOUT: Duration = Duration::from_secs(30);

/// The header of a client that closes first, and that of the answer to it.
pub(super) const KEEP: &str = "Connection: keep-alive\r\n";
pub(super) const LENGTH: &str = "Content-Length: ";

/// What a client does.
#[derive(Clone, Debug, clap::Subcommand)]
pub(crate) enum Load {
    /// One download of /big
    Download {
        /// Close the connection once everything has come, before the server does
        #[arg(long)]
        first: bool,
    },
    /// Short requests for some seconds; each client makes one after another
    Requests {
        clients: u32,
        seconds: u64,
        /// Close each connection once everything has come, before the server does
        #[arg(long)]
        first: bool,
    },
    /// A number of short requests by each client, one after another
    Count { clients: u32, each: u32 },
    /// Connections that stay open until stdin ends
    Hold { connections: u32 },
}

impl Load {
    /// The client for this port, as a process of its own.
    pub(crate) fn command(&self, port: u16) -> Result<Command> {
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["client", &port.to_string()]);
        match self {
            Self::Download { .. } => command.arg("download"),
            Self::Requests { clients, seconds, .. } => {
                command.args(["requests", &clients.to_string(), &seconds.to_string()])
            }
            Self::Count { clients, each } => {
                command.args(["count", &clients.to_string(), &each.to_string()])
            }
            Self::Hold { connections } => command.args(["hold", &connections.to_string()]),
        };
        if matches!(self, Self::Download { first: true } | Self::Requests { first: true, .. }) {
            command.arg("--first");
        }
        Ok(command)
    }

    /// Runs the client until it ends.
    pub(crate) fn run(&self, command: &mut Command) -> Result<Outcome> {
        let output = command.stderr(Stdio::inherit()).output()?;
        ensure!(output.status.success(), "the client failed ({self:?})");
        Ok(serde_json::from_slice(&output.stdout)?)
    }
}

/// A client whose connections are open.
pub(crate) struct Held(Child);

impl Held {
    /// Starts the client with [`Load::Hold`], and waits for its connections.
    pub(crate) fn open(command: &mut Command) -> Result<Self> {
        let mut client = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let stdout = client.stdout.take().context("no stdout")?;
        let held = Self(client);
        let opened = BufReader::new(stdout).lines().next().transpose()?;
        ensure!(opened.as_deref() == Some("open"), "connections fail");
        Ok(held)
    }

    /// Closes the connections, and waits for the client's end.
    pub(crate) fn close(mut self) -> Result<()> {
        drop(self.0.stdin.take());
        self.0.wait().map(drop).map_err(Into::into)
    }
}

/// It ends with its stdin.
impl Drop for Held {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        let _ = self.0.wait();
    }
}

/// What a client measured.
#[derive(Default, Deserialize, Serialize)]
pub(crate) struct Outcome {
    pub(crate) bytes: u64,
    pub(crate) seconds: f64,
    pub(crate) latencies_ms: Vec<f64>,
}

/// `cargo xtask client PORT ...`: prints the outcome as JSON.
pub(crate) fn run(port: u16, load: &Load) -> Result<()> {
    let start = Instant::now();
    let mut outcome = match *load {
        Load::Download { first } => {
            Outcome { bytes: get(port, "/big", first, &mut buffer())?, ..Outcome::default() }
        }
        Load::Requests { clients, seconds, first } => {
            let deadline = start + Duration::from_secs(seconds);
            requests(port, clients, first, |_| Instant::now() < deadline)?
        }
        Load::Count { clients, each } => {
            requests(port, clients, false, |done| done < each as usize)?
        }
        Load::Hold { connections } => return hold(port, connections),
    };
    outcome.seconds = start.elapsed().as_secs_f64();
    println!("{}", serde_json::to_string(&outcome)?);
    Ok(())
}

/// Each client makes requests while `more` is true for the number that it has made.
fn requests(
    port: u16,
    clients: u32,
    first: bool,
    more: impl Fn(usize) -> bool + Sync,
) -> Result<Outcome> {
    let one_after_another = || -> Result<Vec<f64>> {
        let (mut latencies, mut buffer) = (Vec::new(), buffer());
        while more(latencies.len()) {
            let start = Instant::now();
            ensure!(get(port, "/", first, &mut buffer)? > 0, "an empty answer");
            latencies.push(start.elapsed().as_secs_f64() * 1000.0);
        }
        Ok(latencies)
    };
    let mut outcome = Outcome::default();
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..clients).map(|_| scope.spawn(one_after_another)).collect();
        for thread in threads {
            let latencies = thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            outcome.latencies_ms.extend(latencies?);
        }
        Ok(outcome)
    })
}

/// For the parts of an answer.
fn buffer() -> Vec<u8> {
    vec![0; 256 * 1024]
}

/// Makes one request, reads the answer to its end, and returns the bytes of the body. `first`: the end is
/// the length that the answer names, and the server waits until the client closes the connection.
fn get(port: u16, path: &str, first: bool, buffer: &mut [u8]) -> Result<u64> {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
    stream.set_read_timeout(Some(READ_TIMEOUT))?;
    let keep = if first { KEEP } else { "" };
    stream.write_all(format!("GET {path} HTTP/1.0\r\n{keep}\r\n").as_bytes())?;
    let (mut filled, mut body) = (0, None);
    let mut length = u64::MAX;
    while body.is_none_or(|bytes| bytes < length) {
        let read = stream.read(&mut buffer[filled..])?;
        match &mut body {
            _ if read == 0 => break,
            Some(bytes) => *bytes += read as u64,
            None => {
                filled += read;
                let end = buffer[..filled].windows(4).position(|window| window == b"\r\n\r\n");
                if let Some(end) = end {
                    let head = String::from_utf8_lossy(&buffer[..end]);
                    let named = head.lines().find_map(|line| line.strip_prefix(LENGTH));
                    length = named.filter(|_| first).map_or(Ok(u64::MAX), str::parse)?;
                    body = Some((filled - end - 4) as u64);
                    filled = 0;
                }
            }
        }
    }
    body.ok_or_else(|| anyhow::anyhow!("no answer"))
}

fn hold(port: u16, connections: u32) -> Result<()> {
    let open = (0..connections).map(|_| TcpStream::connect((Ipv4Addr::LOCALHOST, port)));
    let streams: Vec<TcpStream> = open.collect::<std::io::Result<_>>()?;
    println!("open");
    std::io::stdin().read_to_end(&mut Vec::new())?;
    drop(streams);
    Ok(())
}
