//! `pfsnoop targets`: what can be forwarded to.

use std::io::{BufWriter, Write as _, stdout};

use anyhow::Result;

use super::{harmless, start_logging};
use crate::cli;
use crate::output::{self, TextOrJson};
use crate::resolve::Survey;

pub(super) async fn run(args: cli::Targets) -> Result<()> {
    start_logging(args.verbose);
    let survey = Survey::make(&args.runtimes.into()).await.map_err(harmless)?;
    for line in &survey.unanswered {
        output::complain(&output::escaped(line.as_bytes()));
    }
    let mut out = BufWriter::new(stdout().lock());
    match args.output {
        TextOrJson::Text => {
            out.write_all(
                output::targets_table(&survey.found, output::terminal_width()).as_bytes(),
            )?;
        }
        TextOrJson::Json => {
            for found in &survey.found {
                output::target_json(&mut out, found)?;
            }
        }
    }
    Ok(out.flush()?)
}
