//! Other kernels for the tests to boot: Debian's cloud images, of which only the kernel is kept.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use super::packages;
use super::step::Outcome;
use crate::run::{quiet, workspace_root};

/// A kernel.
struct Wanted {
    /// As the tests name it.
    version: &'static str,
    /// Debian's release that has it; `None` where the machine's own package lists do.
    release: Option<&'static str>,
    /// Of the names of the packages that hold it; the newest is taken.
    pattern: &'static str,
}

const fn wanted(
    version: &'static str,
    release: Option<&'static str>,
    pattern: &'static str,
) -> Wanted {
    Wanted { version, release, pattern }
}

/// The oldest that we claim to run on, and those of the last two Debian releases.
const WANTED: &[Wanted] = &[
    wanted("5.10", Some("bullseye"), r"^linux-image-5\.10\.[^ ]*-cloud-amd64-unsigned$"),
    wanted("6.1", None, r"^linux-image-6\.1\.[^ ]*-cloud-amd64-unsigned$"),
    wanted("6.12", None, r"^linux-image-6\.12\.[^ ]*-cloud-amd64-unsigned$"),
];

/// Leaves each as `target/kernels/VERSION`, where the tests look.
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
    // A mirror may not have kept the newest of an old release.
    if !found.iter().any(|package| lists.download(package, &scratch).is_ok()) {
        bail!("of the packages that match {}, none can be downloaded", wanted.pattern);
    }
    let unpack = "dpkg-deb --extract *.deb . && cp boot/vmlinuz-* \"$1\"";
    let mut shell = Command::new("sh");
    shell.args(["-c", unpack, "sh"]).arg(kernels.join(wanted.version)).current_dir(&scratch);
    quiet(&mut shell)?;
    fs::remove_dir_all(&scratch)?;
    Ok(())
}

/// Where this Debian has its packages from; nothing before apt has been there.
fn mirror() -> Result<String> {
    let script = "apt-get indextargets --format '$(ORIGIN) $(COMPONENT) $(RELEASE) $(REPO_URI)' \
                  | awk '$1 == \"Debian\" && $2 == \"main\" && $3 !~ /-/ { print $4; exit }'";
    quiet(Command::new("sh").args(["-c", script])).map(|mirror| mirror.trim().to_owned())
}

/// apt's package lists: the machine's own, or some beside them, by these options.
#[derive(Default)]
struct Lists(Vec<String>);

impl Lists {
    /// Those of another Debian release, from where the machine's own come from; kept in that folder.
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
        quiet(lists.apt("apt-get").arg("update"))?;
        Ok(lists)
    }

    /// Packages whose names match, the newest first.
    fn search(&self, pattern: &str) -> Result<Vec<String>> {
        let found = quiet(self.apt("apt-cache").args(["search", "--names-only", pattern]))?;
        let names = found.lines().filter_map(|line| line.split(' ').next());
        let sorted = "printf '%s\\n' \"$@\" | sort --version-sort --reverse";
        let sorted = quiet(Command::new("sh").args(["-c", sorted, "sh"]).args(names))?;
        Ok(sorted.split_whitespace().map(ToOwned::to_owned).collect())
    }

    fn download(&self, package: &str, to: &Path) -> Result<()> {
        quiet(self.apt("apt-get").args(["download", package]).current_dir(to)).map(drop)
    }

    fn apt(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        // apt downloads as its own user, who must be able to write here, unless told otherwise.
        command.args(["-o", "APT::Sandbox::User=root"]);
        for option in &self.0 {
            command.args(["-o", option]);
        }
        command
    }
}
