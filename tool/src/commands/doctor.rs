//! `pfsnoop doctor`: what stands between this node and a working port-forward.

use std::io::{BufWriter, Write as _, stdout};

use anyhow::{Result, bail};

use super::start_logging;
use crate::cli;
use crate::doctor::{self, Finding, Severity};
use crate::node::{daemons, distribution::Packages, helpers};
use crate::output::{self, TextOrJson};
use crate::resolve::{RollCall, Runtimes};

pub(super) async fn run(args: cli::Doctor) -> Result<()> {
    start_logging(args.verbose);
    let mut report = Report::new(args.output);
    let runtimes: Runtimes = args.runtimes.into();
    if let Some(target) = &args.target {
        report.show(&doctor::road(target, &args.namespace, &runtimes, &args.ports).await)?;
        return report.end();
    }
    let packages = Packages::of_this_node();
    report.show(&doctor::kernel(packages))?;
    report.show(&doctor::runtimes(&RollCall::make(&runtimes).await))?;
    let daemons = daemons::running();
    report.show(&doctor::helpers(&daemons).await)?;
    report.show(&doctor::leftovers(&helpers::socats(), args.idle))?;
    report.show(&doctor::limits(&daemons))?;
    report.end()
}

/// What is shown, and how many of it are failures.
struct Report {
    format: TextOrJson,
    checks: usize,
    failed: usize,
}

impl Report {
    fn new(format: TextOrJson) -> Self {
        Self { format, checks: 0, failed: 0 }
    }

    /// Shows a group as soon as it is known: the next may take its time.
    fn show(&mut self, findings: &[Finding]) -> Result<()> {
        let mut out = BufWriter::new(stdout().lock());
        for finding in findings {
            match self.format {
                TextOrJson::Text => output::finding(&mut out, finding)?,
                TextOrJson::Json => output::finding_json(&mut out, finding)?,
            }
            self.checks += 1;
            self.failed += usize::from(finding.severity == Severity::Fail);
        }
        Ok(out.flush()?)
    }

    fn end(self) -> Result<()> {
        let Self { checks, failed, .. } = self;
        if failed > 0 {
            bail!("{failed} of {checks} checks failed; each has a command that mends it");
        }
        Ok(())
    }
}
