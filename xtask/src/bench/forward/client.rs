//! The client. It is a process of its own, so that it can also run inside the pod's network
//! namespace.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpStream};
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use serde::{Deserialize, Serialize};

/// Bounds the wait for each part of an answer.
const READ_TIMEOUT: Duration = Duration::from_secs(30);

/// What a client does.
#[derive(Clone, Debug, clap::Subcommand)]
pub(crate) enum Load {
    /// One download of /big
    Download,
    /// Short requests for some seconds; each client makes one after another
    Requests { clients: u32, seconds: u64 },
    /// A number of short requests by each client, one after another
    Count { clients: u32, each: u32 },
    /// Connections that stay open until stdin ends
    Hold { connections: u32 },
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
        Load::Download => Outcome { bytes: get(port, "/big")?, ..Outcome::default() },
        Load::Requests { clients, seconds } => {
            let deadline = start + Duration::from_secs(seconds);
            requests(port, clients, |_| Instant::now() < deadline)?
        }
        Load::Count { clients, each } => requests(port, clients, |done| done < each as usize)?,
        Load::Hold { connections } => return hold(port, connections),
    };
    outcome.seconds = start.elapsed().as_secs_f64();
    println!("{}", serde_json::to_string(&outcome)?);
    Ok(())
}

/// Each client makes requests while `more` is true for the number that it has made.
fn requests(port: u16, clients: u32, more: impl Fn(usize) -> bool + Sync) -> Result<Outcome> {
    let one_after_another = || -> Result<Vec<f64>> {
        let mut latencies = Vec::new();
        while more(latencies.len()) {
            let start = Instant::now();
            ensure!(get(port, "/")? > 0, "an empty answer");
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

/// Makes one request, reads the answer to its end, and returns the bytes of the body.
fn get(port: u16, path: &str) -> Result<u64> {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
    stream.set_read_timeout(Some(READ_TIMEOUT))?;
    stream.write_all(format!("GET {path} HTTP/1.0\r\n\r\n").as_bytes())?;
    let (mut buffer, mut filled, mut body) = (vec![0; 256 * 1024], 0, None);
    loop {
        let read = stream.read(&mut buffer[filled..])?;
        match &mut body {
            _ if read == 0 => break,
            Some(bytes) => *bytes += read as u64,
            None => {
                filled += read;
                let end = buffer[..filled].windows(4).position(|window| window == b"\r\n\r\n");
                if let Some(end) = end {
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
