//! What the commands that forward have in common.

use anyhow::{Context as _, Result};

use crate::attribution::Attribution;
use crate::cli::ForwarderOptions;
use crate::host::privileges::{self, Needs};
use crate::host::{memory, program_file};
use crate::monitor::{Monitor, MonitorOptions};
use crate::runtime::Runtimes;

/// What such a command still needs once it listens.
pub(super) fn needs(options: &ForwarderOptions) -> Needs {
    let sockets = Runtimes::from(options.runtimes.clone()).sockets();
    let tracing = !options.no_watch;
    Needs { tracing, processes: true, entering: true, sockets, ..Needs::default() }
}

/// Watches the helpers, unless the user does not want it.
pub(super) fn watch_helpers(
    options: &ForwarderOptions,
    attribution: Attribution,
) -> Result<Option<Monitor>> {
    if options.no_watch {
        return Ok(None);
    }
    let monitor = Monitor::attach(MonitorOptions::own_children(options.verbose), attribution);
    monitor.map(Some).context("cannot watch the helpers; use --no-watch to forward without that")
}

/// Gives up what only the start needed: the kernel programs are attached, and the ports are bound.
pub(super) fn settle() {
    privileges::settle_thread();
    memory::give_back();
    program_file::give_back();
}
