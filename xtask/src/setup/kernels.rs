//! Other kernels for the tests to boot: the kernel files of Debian's cloud images.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use super::packages;
use super::step::Outcome;
use crate::run::{stdout_of, workspace_root};

/// A kernel to install.
struct Wanted {
    /// The name that the tests use.
    version: &'static str,
    /// The Debian release that has it; `None` if the machine's own package lists have it.
    release: Option<&'static str>,
    /// Matches the names of its packages. The newest one is taken.
    pattern: &'static str,
}

const fn wanted(
    version: &'static str,
    release: Option<&'static str>,
    pattern: &'static str,
) -> Wanted {
    Wanted { version, release, pattern }
}

/// The oldest kernel that pfsnoop supports, and those of the last two Debian releases.
const WANTED: &[Wanted] = &[
    wanted("5.10", Some("bullseye"), r"^linux-image-5\.10\.[^ ]*-cloud-amd64-unsigned$"),
    wanted("6.1", None, r"^linux-image-6\.1\.[^ ]*-cloud-amd64-unsigned$"),
    wanted("6.12", None, r"^linux-image-6\.12\.[^ ]*-cloud-amd64-unsigned$"),
];

/// Stores each as `target/kernels/VERSION`, where the tests look for it.
pub(super) fn ensure() -> Result<Outcome> {
    let kernels = workspace_root().join("target/kernels");
    let missing: Vec<_> =
        WANTED.iter().filter(|wanted| !kernels.join(wanted.version).is_file()).collect();
    let names: Vec<&str> = WANTED.iter().map(|wanted| wanted.version).collect();
    if missing.is_empty() {
        return Ok(Outcome::Present(names.join(" ")));
    }
    for wanted in missing {
        fetch(wanted, &kernels).with_context(|| format!("cannot get Linux {}", wanted.version))?;
    }
    Ok(Outcome::Installed(names.join(" ")))
}

fn fetch(wanted: &Wanted, kernels: &Path) -> Result<()> {
    let scratch = kernels.join(format!("{}.unpacked", wanted.version));
    fs::create_dir_all(&scratch)?;
    let lists = match wanted.release {
        Some(release) => Lists::of_release(release, &scratch.join("apt"))?,
        None => Lists::default(),
    };
    let mut found = lists.search(wanted.pattern)?;
    if found.is_empty() {
        packages::update()?;
        found = lists.search(wanted.pattern)?;
    }
    // A mirror may no longer have the newest package of an old release.
    if !found.iter().any(|package| lists.download(package, &scratch).is_ok()) {
        bail!("none of the packages that match {} can be downloaded", wanted.pattern);
    }
    let unpack = "dpkg-deb --extract *.deb . && cp boot/vmlinuz-* \"$1\"";
    let mut shell = Command::new("sh");
    shell.args(["-c", unpack, "sh"]).arg(kernels.join(wanted.version)).current_dir(&scratch);
    stdout_of(&mut shell)?;
    fs::remove_dir_all(&scratch)?;
    Ok(())
}

/// The mirror of this machine's own package sources; empty before the first `apt-get update`.
fn mirror() -> Result<String> {
    let script = "apt-get indextargets --format '$(ORIGIN) $(COMPONENT) $(RELEASE) $(REPO_URI)' \
                  | awk '$1 == \"Debian\" && $2 == \"main\" && $3 !~ /-/ { print $4; exit }'";
    stdout_of(Command::new("sh").args(["-c", script])).map(|mirror| mirror.trim().to_owned())
}

/// Options that select apt's package lists: none for the machine's own.
#[derive(Default)]
struct Lists(Vec<String>);

impl Lists {
    /// Lists of another Debian release from the machine's own mirror, kept in `folder`.
    fn of_release(release: &str, folder: &Path) -> Result<Self> {
        for of_apt in ["state/lists/partial", "cache/archives/partial"] {
            fs::create_dir_all(folder.join(of_apt))?;
        }
        let mut mirror = mirror()?;
        if mirror.is_empty() {
            packages::update()?;
            mirror = self::mirror()?;
        }
        let keys = "/usr/share/keyrings/debian-archive-keyring.gpg";
        let source = format!("deb [signed-by={keys}] {mirror} {release} main\n");
        let sources = folder.join("sources.list");
        fs::write(&sources, source)?;
        let folder = folder.display();
        let lists = Self(vec![
            format!("Dir::Etc::sourcelist={}", sources.display()),
            "Dir::Etc::sourceparts=/dev/null".to_owned(),
            format!("Dir::State={folder}/state"),
            format!("Dir::Cache={folder}/cache"),
        ]);
        stdout_of(lists.apt("apt-get").arg("update"))?;
        Ok(lists)
    }

    /// Packages with a matching name, the newest first.
    fn search(&self, pattern: &str) -> Result<Vec<String>> {
        let found = stdout_of(self.apt("apt-cache").args(["search", "--names-only", pattern]))?;
        let names = found.lines().filter_map(|line| line.split(' ').next());
        let sorted = "printf '%s\\n' \"$@\" | sort --version-sort --reverse";
        let sorted = stdout_of(Command::new("sh").args(["-c", sorted, "sh"]).args(names))?;
        Ok(sorted.split_whitespace().map(ToOwned::to_owned).collect())
    }

    fn download(&self, package: &str, to: &Path) -> Result<()> {
        stdout_of(self.apt("apt-get").args(["download", package]).current_dir(to)).map(drop)
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
