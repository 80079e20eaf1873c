//! Versions of what a forward runs through, for the tests: unpacked from Debian releases, and not
//! installed.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use super::part;
use super::step::Outcome;
use super::wanted_parts::{NEWER, QUICK};
use crate::run::find_program;

/// The parts that the quick tests need.
pub(super) fn ensure_quick() -> Result<Outcome> {
    part::ensure_all(QUICK)
}

/// The parts that only the other tests need.
pub(super) fn ensure_newer() -> Result<Outcome> {
    ensure_busybox(&part::folder(BUSYBOX).join("bin"))?;
    part::ensure_all(NEWER)
}

/// The newest kubectl of the parts.
pub(crate) fn newest_kubectl() -> PathBuf {
    part::folder("kubectl-forky").join("bin/kubectl")
}

/// The nsenter of busybox, beside the system's socat.
const BUSYBOX: &str = "helpers-busybox";

fn ensure_busybox(folder: &Path) -> Result<()> {
    fs::create_dir_all(folder)?;
    for (name, program) in [("nsenter", "busybox"), ("socat", "socat")] {
        let link = folder.join(name);
        let program = find_program(program).with_context(|| format!("{program} is missing"))?;
        if !link.exists() {
            std::os::unix::fs::symlink(program, link)?;
        }
    }
    Ok(())
}
