//! Packages of Debian releases, downloaded and not installed.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::Result;

use super::packages;
use crate::run::stdout_of;

/// The mirror of this machine's own package sources; empty before the first `apt-get update`.
fn mirror() -> Result<String> {
    let script = "apt-get indextargets --format '$(ORIGIN) $(COMPONENT) $(RELEASE) $(REPO_URI)' \
                  | awk '$1 == \"Debian\" && $2 == \"main\" && $3 !~ /-/ { print $4; exit }'";
    stdout_of(Command::new("sh").args(["-c", script])).map(|mirror| mirror.trim().to_owned())
}

/// Options that select apt's package lists: none for the machine's own.
#[derive(Default)]
pub(super) struct Lists(Vec<String>);

impl Lists {
    /// Lists of another Debian release from the machine's own mirror, kept in `folder`.
    pub(super) fn of_release(release: &str, folder: &Path) -> Result<Self> {
        Self::of_kind("deb", release, folder)
    }

    /// The same for source packages.
    pub(super) fn of_sources(release: &str, folder: &Path) -> Result<Self> {
        Self::of_kind("deb-src", release, folder)
    }

    fn of_kind(kind: &str, release: &str, folder: &Path) -> Result<Self> {
        for of_apt in ["state/lists/partial", "cache/archives/partial"] {
            fs::create_dir_all(folder.join(of_apt))?;
        }
        let mut mirror = mirror()?;
        if mirror.is_empty() {
            packages::update()?;
            mirror = self::mirror()?;
        }
        let keys = "/usr/share/keyrings/debian-archive-keyring.gpg";
        let source = format!("{kind} [signed-by={keys}] {mirror} {release} main\n");
        let sources = folder.join("sources.list");
        fs::write(&sources, source)?;
        let folder = folder.display();
        let lists = Self(vec![
            format!("Dir::Etc::sourcelist={}", sources.display()),
            "Dir::Etc::sourceparts=/dev/null".to_owned(),
            format!("Dir::State={folder}/state"),
            format!("Dir::Cache={folder}/cache"),
            // What is installed here does not matter, nor does where it came from.
            "Dir::State::status=/dev/null".to_owned(),
        ]);
        stdout_of(lists.apt("apt-get").arg("update"))?;
        Ok(lists)
    }

    /// Packages with a matching name, the newest first.
    pub(super) fn search(&self, pattern: &str) -> Result<Vec<String>> {
        let found = stdout_of(self.apt("apt-cache").args(["search", "--names-only", pattern]))?;
        let names = found.lines().filter_map(|line| line.split(' ').next());
        let sorted = "printf '%s\\n' \"$@\" | sort --version-sort --reverse";
        let sorted = stdout_of(Command::new("sh").args(["-c", sorted, "sh"]).args(names))?;
        Ok(sorted.split_whitespace().map(ToOwned::to_owned).collect())
    }

    /// Downloads the newest version of each package into a folder.
    pub(super) fn download(&self, packages: &[&str], to: &Path) -> Result<()> {
        let mut apt = self.apt("apt-get");
        stdout_of(apt.arg("download").args(packages).current_dir(to)).map(drop)
    }

    /// Downloads the files of a source package into a folder.
    pub(super) fn download_source(&self, package: &str, to: &Path) -> Result<()> {
        let mut apt = self.apt("apt-get");
        stdout_of(apt.args(["source", "--download-only", package]).current_dir(to)).map(drop)
    }

    fn apt(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        // By default apt downloads as the user `_apt`, who may not be able to write here.
        command.args(["-o", "APT::Sandbox::User=root"]);
        for option in &self.0 {
            command.args(["-o", option]);
        }
        command
    }
}
