//! What kernel programs cost the connections and execs of others.

use std::net::{TcpListener, TcpStream};
use std::time::Instant;

use anyhow::Result;

use super::bpf::{Before, RunTimes};
use super::storm;

/// Ordinary connections in each measurement, and execs.
pub(super) const CONNECTIONS: u32 = 20_000;
pub(super) const EXECS: u32 = 3000;

/// Run time of all programs of a tracer.
pub(super) struct Cost {
    pub(super) ns_a_connection: f64,
    pub(super) ns_an_exec: f64,
}

impl Cost {
    /// Measures the programs that were loaded since.
    pub(super) fn of_what_came_since(before: &Before) -> Result<Self> {
        let _run_times = RunTimes::enable()?;
        let start = before.run_time_ns()?;
        connect_often()?;
        let connected = before.run_time_ns()?;
        storm::timed(EXECS, "measured")?;
        let executed = before.run_time_ns()?;
        Ok(Self {
            ns_a_connection: (connected - start) as f64 / f64::from(CONNECTIONS),
            ns_an_exec: (executed - connected) as f64 / f64::from(EXECS),
        })
    }
}

/// Makes ordinary connections one after another, and returns how many it made per second.
pub(super) fn connect_often() -> Result<f64> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    let start = Instant::now();
    for _ in 0..CONNECTIONS {
        let client = TcpStream::connect(address)?;
        let (server, _) = listener.accept()?;
        // The server closes first: TIME_WAIT then holds its port, which all connections share, and
        // none of the client's ephemeral ports.
        drop(server);
        drop(client);
    }
    Ok(f64::from(CONNECTIONS) / start.elapsed().as_secs_f64())
}
