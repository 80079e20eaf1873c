//! Keeps a monitor running: one that fails is replaced.

use std::time::Duration;

use anyhow::{Context as _, Result};
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use crate::host::clock;
use crate::model::{Ready, Selection};
use crate::monitor::{self, Limit, Monitor};
use crate::output::{self, Sink};
use crate::probe::ProbeError;

/// The wait before the first new attempt. It doubles with each failure.
const FIRST_WAIT: Duration = Duration::from_secs(1);

/// The longest wait, and how long a monitor must have run for the next wait to be the first again.
const LONGEST_WAIT: Duration = Duration::from_mins(1);

/// Attaches a monitor and runs it until shutdown. The first attempt to attach must succeed. When a
/// monitor fails later, another one takes its place: each begins with [`Update::Ready`], and sessions
/// that were open before are not followed any more.
///
/// [`Update::Ready`]: crate::model::Update::Ready
pub async fn keep_attached(
    attach: impl Fn() -> Result<Monitor, ProbeError>,
    once_attached: impl FnOnce(),
    sink: &mut dyn Sink,
    shutdown: &CancellationToken,
) -> Result<()> {
    let mut monitor = Ok(attach()?);
    once_attached();
    let mut wait = FIRST_WAIT;
    loop {
        let began = Instant::now();
        let ended = match monitor {
            Ok(monitor) => run(monitor, sink, shutdown).await,
            Err(error) => Err(error).context("cannot attach again"),
        };
        let Err(error) = ended else { return Ok(()) };
        if began.elapsed() >= LONGEST_WAIT {
            wait = FIRST_WAIT;
        }
        let seconds = wait.as_secs();
        output::complain(&format!("no session is seen now: {error:#}; next try in {seconds} s"));
        if shutdown.run_until_cancelled(sleep(wait)).await.is_none() {
            return Ok(());
        }
        wait = (wait * 2).min(LONGEST_WAIT);
        monitor = attach();
    }
}

async fn run(monitor: Monitor, sink: &mut dyn Sink, shutdown: &CancellationToken) -> Result<()> {
    let ready = Ready { time_ns: clock::boottime_ns(), command: "agent", has_execs: false };
    let (every, endless) = (Selection::default(), Limit::new(None));
    monitor::run(monitor, every, endless, ready, sink, shutdown).await
}
