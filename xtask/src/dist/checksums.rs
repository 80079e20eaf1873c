//! `SHA256SUMS`, for `sha256sum --check`.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use super::sha256::sha256;

/// Writes the hashes of these files beside them, and returns the path of the list.
pub(super) fn write(dist: &Path, files: &[&PathBuf]) -> Result<PathBuf> {
    let lines: Result<Vec<String>> = files.iter().map(|file| line(file)).collect();
    let path = dist.join("SHA256SUMS");
    fs::write(&path, lines?.concat())?;
    Ok(path)
}

fn line(file: &Path) -> Result<String> {
    let name = file.file_name().context("a file without a name")?.display();
    Ok(format!("{}  {name}\n", sha256(&fs::read(file)?)))
}
