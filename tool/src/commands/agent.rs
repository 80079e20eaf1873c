//! `pfsnoop agent`: `watch` without a screen, for as long as the node runs.

use std::sync::Arc;

use anyhow::{Context as _, Result};

use super::ignored::note_ignored;
use super::logging::start_logging;
use crate::agent::store::{Keep, StoreCounters, StoreOptions, StoreSink};
use crate::agent::{Fanout, LogSink, keep_attached};
use crate::attribution::Attribution;
use crate::cli;
use crate::host::privileges::{self, Needs};
use crate::host::{service, shutdown, slice};
use crate::monitor::{Monitor, MonitorOptions};
use crate::output::Sink;
use crate::runtime::Runtimes;

/// What it still needs once it runs.
pub(super) fn needs(args: &cli::Agent) -> Needs {
    let sockets = Runtimes::from(args.runtimes.clone()).sockets();
    Needs { tracing: true, processes: true, sockets, ..Needs::default() }
}

pub(super) async fn run(args: cli::Agent) -> Result<()> {
    start_logging(args.verbose);
    slice::shorten();
    let token = shutdown::on_signals()?;
    let mut sinks: Vec<Box<dyn Sink>> = vec![Box::<LogSink>::default()];
    if !args.no_store {
        sinks.push(Box::new(store(&args)?));
    }
    let runtimes = args.runtimes.into();
    note_ignored(&runtimes);
    let attach = || {
        let attribution = Attribution::with_names(&runtimes);
        Monitor::attach(MonitorOptions::all_sessions(args.verbose), attribution)
    };
    let mut sinks = Fanout::new(sinks);
    let watching = keep_attached(attach, privileges::settle_thread, &mut sinks, &token);
    let ended = tokio::select! {
        ended = watching => ended,
        never = service::feed_watchdog() => match never {},
    };
    service::stopping();
    ended
}

/// The store. A file that cannot be written does not keep the agent from watching.
fn store(args: &cli::Agent) -> Result<StoreSink> {
    let keep = Keep { age: args.keep.duration(), bytes: u64::from(args.keep_size.kib()) * 1024 };
    let options = StoreOptions { path: args.store.clone(), keep };
    let counters = Arc::<StoreCounters>::default();
    StoreSink::start(options, counters).context("cannot start the thread that stores sessions")
}
