//! `pfsnoop targets`: what can be forwarded to.

use anyhow::Result;

use super::ignored::note_ignored;
use super::logging::start_logging;
use super::not_found::escaped;
use crate::cli;
use crate::host::privileges::{self, Needs};
use crate::model::Update;
use crate::output::{self, View};
use crate::runtime::Runtimes;
use crate::target::TargetList;

/// What it needs.
pub(super) fn needs(args: &cli::Targets) -> Needs {
    let sockets = Runtimes::from(args.runtimes.clone()).sockets();
    Needs { processes: true, entering: true, sockets, ..Needs::default() }
}

pub(super) async fn run(args: cli::Targets) -> Result<()> {
    start_logging(args.verbose);
    privileges::settle_thread();
    let runtimes = args.runtimes.into();
    note_ignored(&runtimes);
    let list = TargetList::query(&runtimes).await.map_err(escaped)?;
    for line in &list.unanswered {
        output::complain(&output::escaped(line.as_bytes()));
    }
    let mut sink = output::sink(args.output, View::Targets);
    for entry in list.entries {
        sink.update(&Update::Target(Box::new(entry)))?;
    }
    Ok(sink.end(0)?)
}
