//! A running agent, and how much it can follow.

use std::io::{BufRead as _, BufReader};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};

use crate::bench::netns::inside;
use crate::bench::usage::rss_and_peak_mib;
use crate::dist;
use crate::run::stdout_of;

/// The rates that are tried, in sessions per second, and for how long.
const RATES: [u32; 6] = [500, 1000, 2000, 4000, 8000, 16_000];
const SECONDS: u32 = 10;

/// How long the last sessions take into the store.
const SETTLE: Duration = Duration::from_secs(3);

/// An agent that is attached. Dropping it ends it.
pub(super) struct Agent(Child);

impl Agent {
    /// Starts the shipped binary, and waits until it watches.
    pub(super) fn start(store: &Path) -> Result<Self> {
        let mut agent = Command::new(dist::binary());
        agent.args(["agent", "--store"]).arg(store).stderr(Stdio::piped()).stdout(Stdio::null());
        let mut agent = agent.spawn().context("the agent")?;
        let stderr = agent.stderr.take().context("no stderr")?;
        let mut lines = BufReader::new(stderr).lines();
        lines.by_ref().map_while(Result::ok).find(|line| line.contains("is watched"));
        // It must not wait for a reader.
        std::thread::spawn(move || lines.for_each(drop));
        Ok(Self(agent))
    }

    pub(super) fn pid(&self) -> u32 {
        self.0.id()
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        let _ = stdout_of(Command::new("kill").args(["-INT", &self.pid().to_string()]));
        let _ = self.0.wait();
    }
}

/// The most sessions per second that were all stored.
pub(super) struct Busy {
    pub(super) per_second: u32,
    /// Memory of the agent after the last rate.
    pub(super) mib: f64,
}

/// Makes native sessions at higher and higher rates, until one is missing in the store, or this machine
/// cannot make as many.
pub(super) fn most_per_second(folder: &Path) -> Result<Busy> {
    let mut busy = Busy { per_second: 0, mib: 0.0 };
    for rate in RATES {
        let store = folder.join(format!("at-{rate}.db"));
        let agent = Agent::start(&store)?;
        let (made, took) = inside(move || connect(rate))?;
        std::thread::sleep(SETTLE);
        let mib = rss_and_peak_mib(agent.pid())?.0;
        drop(agent);
        let stored = stored(&store)?;
        eprintln!("{made} sessions in {:.1} s, {stored} stored", took.as_secs_f64());
        let is_too_slow = took > Duration::from_secs(u64::from(SECONDS)) * 11 / 10;
        if stored < made || is_too_slow {
            break;
        }
        busy = Busy { per_second: rate, mib };
    }
    Ok(busy)
}

fn connect(rate: u32) -> Result<(u64, Duration)> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    let (start, count) = (Instant::now(), rate * SECONDS);
    for n in 0..count {
        let client = TcpStream::connect(address)?;
        drop(listener.accept()?);
        drop(client);
        let due = start + Duration::from_secs(1) * n / rate;
        std::thread::sleep(due.saturating_duration_since(Instant::now()));
    }
    Ok((u64::from(count), start.elapsed()))
}

/// How many native sessions of this process are in a store.
fn stored(store: &Path) -> Result<u64> {
    let mut history = Command::new(dist::binary());
    history.args(["history", "-o", "json", "--outcome", "ok", "--via", "native", "--store"]);
    let mut history = history.arg(store).stdout(Stdio::piped()).spawn()?;
    let own = format!("\"forwarder\":{{\"pid\":{},", std::process::id());
    let lines = BufReader::new(history.stdout.take().context("no stdout")?).lines();
    let count = lines.map_while(Result::ok).filter(|line| line.contains(&own)).count();
    history.wait()?;
    Ok(count as u64)
}
