//! `pfsnoop history`: sessions that the agent has stored.

use std::path::Path;
use std::time::Duration;

use anyhow::{Error, Result};
use tokio_util::sync::CancellationToken;

use crate::agent::store::{History, StoreError};
use crate::cli;
use crate::host::privileges::{self, Needs};
use crate::host::shutdown;
use crate::model::{HistoryFilter, Update};
use crate::output::{self, Sink, View};

/// How often a follower looks for what is new. The agent stores several times a second.
const FOLLOW_INTERVAL: Duration = Duration::from_millis(250);

/// How many sessions are read at once. While a row waits for its reader, no transaction is open.
const AT_ONCE: usize = 256;

/// With how many sessions a follower begins, unless it is told otherwise.
const FIRST_COUNT: u64 = 10;

/// Nothing, once the file is open.
pub(super) fn needs() -> Needs {
    Needs::default()
}

pub(super) async fn run(args: cli::History) -> Result<()> {
    let history = open(&args.store)?;
    privileges::settle_thread();
    let filter = args.filter();
    let view = if args.summary {
        View::HistorySums
    } else {
        View::History { is_endless: args.follow, is_wide: false }
    };
    let mut sink = output::sink(args.output, view);
    let is_tail = args.follow && args.since.is_none();
    let count = args.count.or(is_tail.then_some(FIRST_COUNT));
    let shown = history.last_number()?;
    show(&history, &history.numbers(&filter, count)?, &mut *sink)?;
    if args.follow {
        sink.flush()?;
        follow(&history, &filter, shown, &mut *sink, &shutdown::on_signals()?).await?;
    }
    Ok(sink.end(0)?)
}

fn open(path: &Path) -> Result<History> {
    let shown = output::escaped(path.as_os_str().as_encoded_bytes());
    let history = History::open(path).map_err(|error| match error {
        StoreError::Missing => Error::msg(format!(
            "there is no store at {shown}: `pfsnoop agent` makes one and must run while sessions \
             happen; --store names another file"
        )),
        error => Error::msg(format!("cannot read the store {shown}: {error}")),
    })?;
    if history.misses_newest() {
        output::complain(&format!(
            "the newest sessions may be missing: the log {shown}-wal can be used only with the right to \
             write to its folder"
        ));
    }
    Ok(history)
}

fn show(history: &History, numbers: &[i64], sink: &mut dyn Sink) -> Result<()> {
    for some in numbers.chunks(AT_ONCE) {
        // One that has changed meanwhile has a higher number, and may come later.
        for past in history.sessions(some)? {
            sink.update(&Update::Past(Box::new(past)))?;
        }
    }
    Ok(())
}

/// Shows the sessions that change after the one with this number, until shutdown.
async fn follow(
    history: &History,
    filter: &HistoryFilter,
    mut shown: i64,
    sink: &mut dyn Sink,
    shutdown: &CancellationToken,
) -> Result<()> {
    loop {
        // Those that do not match are not looked at again.
        let newest = history.last_number()?;
        let numbers = history.numbers_after(filter, shown)?;
        show(history, &numbers, sink)?;
        sink.flush()?;
        shown = numbers.last().copied().unwrap_or(newest).max(shown);
        if !numbers.is_empty() {
            // There may be more at once.
            continue;
        }
        let wait = tokio::time::sleep(FOLLOW_INTERVAL);
        if shutdown.run_until_cancelled(wait).await.is_none() {
            return Ok(());
        }
    }
}
