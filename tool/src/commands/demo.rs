//! `pfsnoop demo`: one forward to an embedded pod, checked.

use anyhow::Result;

use super::logging::start_logging;
use crate::cli;
use crate::demo;
use crate::host::privileges::Needs;
use crate::host::shutdown;
use crate::output::{self, Format, View};

/// What it still needs once the pod runs.
pub(super) fn needs() -> Needs {
    Needs { tracing: true, processes: true, entering: true, ..Needs::default() }
}

pub(super) async fn run(args: cli::Demo) -> Result<()> {
    start_logging(args.verbose);
    let token = shutdown::on_signals()?;
    let cli::Demo { kubectl, stay, trust_path, verbose } = args;
    let view = if kubectl { View::Serve } else { View::Forward };
    let mut sink = output::sink(Format::Text, view);
    let options = demo::Options { stay, trust_path, verbose, kubectl };
    // It is large, and would be part of the caller's stack.
    Box::pin(demo::run(options, &mut *sink, &token)).await
}
