//! The OpenAPI document of Debian's newest kube-apiserver, for the tests: the server writes it, and its
//! source package has it.

use std::fs;
use std::process::Command;

use anyhow::{Context as _, Result};

use super::debian::Lists;
use super::part;
use super::step::Outcome;
use crate::run::stdout_of;

/// The Debian release with this version, 1.20. Newer releases have no server.
const RELEASE: &str = "bookworm";

/// The name of its folder, in which the tests look for it.
const PART: &str = "openapi-bookworm";

/// The document.
const FILE: &str = "swagger.json";

/// Stores the document in `target/parts/openapi-bookworm`.
pub(super) fn ensure() -> Result<Outcome> {
    let folder = part::folder(PART);
    if folder.join(FILE).exists() {
        return Ok(Outcome::Present(PART.to_owned()));
    }
    let packages = folder.join("packages");
    fs::create_dir_all(&packages)?;
    let lists = Lists::of_sources(RELEASE, &folder.join("apt"))?;
    lists.download_source("kubernetes", &packages)?;
    let script = "tar --extract --to-stdout --wildcards --file *.orig.tar.* \
                  '*/api/openapi-spec/swagger.json'";
    let mut unpack = Command::new("sh");
    let document = stdout_of(unpack.args(["-c", script]).current_dir(&packages));
    let document = document.context("the sources of Kubernetes have no OpenAPI document")?;
    for needed_no_more in ["packages", "apt"] {
        fs::remove_dir_all(folder.join(needed_no_more))?;
    }
    // The last step: it says that the document is complete.
    let unfinished = folder.join("unfinished");
    fs::write(&unfinished, document)?;
    fs::rename(unfinished, folder.join(FILE))?;
    Ok(Outcome::Installed(PART.to_owned()))
}
