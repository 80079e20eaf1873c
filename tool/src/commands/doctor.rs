//! `pfsnoop doctor`: finds out why port-forwards fail, on this node or for one target.

use anyhow::{Result, bail};

use super::ignored::note_ignored;
use super::logging::start_logging;
use crate::cli;
use crate::doctor::{self, DoctorOptions};
use crate::host::privileges::{self, Needs};
use crate::model::{Severity, Update};
use crate::output::{self, View};
use crate::runtime::Runtimes;
use crate::target::TargetName;

/// What it needs: to attach every kernel program, to read what other processes see, and to make a test
/// connection into a target.
pub(super) fn needs(args: &cli::Doctor) -> Needs {
    let sockets = Runtimes::from(args.runtimes.clone()).sockets();
    Needs { tracing: true, processes: true, setup: true, sockets, ..Needs::default() }
}

pub(super) async fn run(args: cli::Doctor) -> Result<()> {
    start_logging(args.verbose);
    privileges::settle_thread();
    let mut sink = output::sink(args.output, View::Findings);
    let options = DoctorOptions {
        target: args.target,
        namespace: args.namespace,
        ports: args.ports,
        runtimes: args.runtimes.into(),
        idle: args.idle,
        store: args.store,
        trust_path: args.trust_path,
    };
    if options.target.as_ref().is_none_or(TargetName::is_of_runtime) {
        note_ignored(&options.runtimes);
    }
    let (mut checks, mut failed) = (0, 0);
    doctor::check(&options, &mut |findings| {
        for finding in findings {
            checks += 1;
            failed += usize::from(finding.severity == Severity::Fail);
            sink.update(&Update::Finding(finding))?;
        }
        // A group is shown as soon as it is known: the next one may take long.
        sink.flush()
    })
    .await?;
    sink.end(0)?;
    if failed > 0 {
        bail!("{failed} of {checks} checks failed; each has a command that fixes it");
    }
    Ok(())
}
