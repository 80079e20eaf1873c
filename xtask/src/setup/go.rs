//! Go's compiler, for sources that predate modules or are not built as one.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};

/// A progress line appears after this many compiled packages.
const PACKAGES_PER_LINE: usize = 200;

/// A compiler, and the folders that it works in.
pub(super) struct Go {
    /// The folder of the compiler, as `GOROOT`.
    pub(super) root: PathBuf,
    /// The folder that has the sources in `src`, as `GOPATH`.
    pub(super) path: PathBuf,
    pub(super) cache: PathBuf,
    /// Options for the linker.
    pub(super) link: String,
}

impl Go {
    /// Builds a package into the folder, and prints how far it is.
    pub(super) fn build(&self, package: &str, to: &Path) -> Result<()> {
        let name = package.rsplit('/').next().unwrap_or(package);
        println!("setup: build {name}");
        let mut go = self.command(Path::new("nice"));
        go.arg(self.root.join("bin/go")).args(["build", "-v", "-trimpath"]);
        go.args(["-ldflags", &self.link, "-o"]).arg(to).arg(package);
        let mut child = go.stderr(Stdio::piped()).spawn().context("nice")?;
        let stderr = child.stderr.take().context("no stderr")?;
        let mut compiled = 0;
        let mut messages = Vec::new();
        for line in BufReader::new(stderr).lines() {
            let line = line?;
            if is_package(&line) {
                compiled += 1;
                if compiled % PACKAGES_PER_LINE == 0 {
                    println!("setup: build {name}: {compiled} packages");
                }
            } else {
                messages.push(line);
            }
        }
        let status = child.wait()?;
        if !status.success() {
            bail!("`go build {package}` ended with {status}:\n{}", messages.join("\n"));
        }
        Ok(())
    }

    /// A program that builds or runs with these folders.
    pub(super) fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command.env("GOROOT", &self.root).env("GOPATH", &self.path).env("GOCACHE", &self.cache);
        // The generator of sources looks for `go`.
        let path = std::env::var("PATH").unwrap_or_default();
        command.env("PATH", format!("{}:{path}", self.root.join("bin").display()));
        command.env("GO111MODULE", "off").env("CGO_ENABLED", "0").env_remove("GOFLAGS");
        command
    }
}

/// Whether a line is the name of a package that was compiled, as `-v` prints it.
fn is_package(line: &str) -> bool {
    !line.starts_with('#') && !line.contains([' ', ':'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_are_told_from_messages() {
        assert!(is_package("k8s.io/kubernetes/cmd/kubelet"));
        for message in ["# k8s.io/kubernetes/cmd/kubelet", "cmd/kubelet/kubelet.go:1:1: expected"] {
            assert!(!is_package(message), "{message}");
        }
    }
}
