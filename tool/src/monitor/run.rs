//! Runs a monitor: its updates go to a sink until shutdown.

use anyhow::Result;
use tokio_util::sync::CancellationToken;

use super::monitor::Monitor;
use crate::host::{clock, service};
use crate::model::{Ready, Selection, State, Update};
use crate::output::Sink;

/// How many rows, or ended sessions, are shown before a command exits by itself.
#[derive(Clone, Copy, Debug)]
pub struct Limit {
    left: Option<u64>,
}

impl Limit {
    /// `None` is no limit.
    #[must_use]
    pub fn new(count: Option<u64>) -> Self {
        Self { left: count }
    }

    /// Counts an update that was shown.
    fn count(&mut self, update: &Update) {
        let counts = match update {
            Update::Exec(..) | Update::Exit(_) => true,
            Update::Session(session) => matches!(session.state, State::Closed(_)),
            _ => false,
        };
        self.left = self.left.map(|left| left.saturating_sub(u64::from(counts)));
    }

    fn is_reached(self) -> bool {
        self.left == Some(0)
    }
}

/// Shows the selected updates until shutdown, or until the limit is reached.
pub async fn run(
    mut monitor: Monitor,
    mut selection: Selection,
    mut limit: Limit,
    ready: Ready,
    sink: &mut dyn Sink,
    shutdown: &CancellationToken,
) -> Result<()> {
    sink.update(&Update::Ready(ready))?;
    sink.flush()?;
    service::ready();
    let mut is_stopping = false;
    loop {
        let updates = tokio::select! {
            biased;
            () = shutdown.cancelled(), if !is_stopping => {
                is_stopping = true;
                monitor.stop();
                continue;
            }
            updates = monitor.updates() => updates?,
        };
        let Some(updates) = updates else { break };
        for update in updates.iter().filter(|update| selection.admits(update)) {
            sink.update(update)?;
            limit.count(update);
            if limit.is_reached() {
                break;
            }
        }
        if limit.is_reached() {
            if let Some(lost) = monitor.take_lost()? {
                sink.update(&Update::Lost(lost))?;
            }
            break;
        }
        draw(&mut monitor, &selection, sink)?;
        sink.flush()?;
        // Under load there are always more updates: signals and timers must have their turn.
        tokio::task::yield_now().await;
    }
    let (_, open) = monitor.open_sessions(&selection, 0);
    Ok(sink.end(open)?)
}

/// Shows the open sessions, if the sink does that and it is time.
fn draw(monitor: &mut Monitor, selection: &Selection, sink: &mut dyn Sink) -> Result<()> {
    let (rows, now_ns) = (sink.open_rows(), clock::boottime_ns());
    monitor.count_bytes(rows);
    if rows > 0 && sink.is_draw_due(now_ns) {
        let (open, count) = monitor.open_sessions(selection, rows);
        sink.draw(&open, count, now_ns)?;
    }
    Ok(())
}
