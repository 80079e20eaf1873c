//! Kubernetes clients for the tests, from the packages of their languages. The `kube` crate is a
//! dev-dependency instead.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result};

use super::packages;
use super::part::folder;
use super::step::Outcome;
use crate::run::{stdout_of, succeeds};

/// A client, as the package manager of its language installs it into a folder.
struct Client {
    /// The name of its folder, in which the tests look for it.
    name: &'static str,
    /// The package and its version.
    package: &'static str,
    install: fn(&str, &Path) -> Result<()>,
}

/// The newest versions when they were chosen, of JavaScript the newest that runs with Node.js 18 (Debian 12)
/// and 20.
const CLIENTS: &[Client] = &[
    Client { name: "client-python", package: "kubernetes==37.0.2", install: install_python },
    Client {
        name: "client-javascript",
        package: "@kubernetes/client-node@1.4.0",
        install: install_javascript,
    },
];

/// The file in the folder of a client that names its package.
const PACKAGE: &str = "package";

/// Stores each client in `target/parts/NAME`.
pub(super) fn ensure() -> Result<Outcome> {
    let names = CLIENTS.iter().map(|client| client.package).collect::<Vec<_>>().join(" ");
    let missing: Vec<&Client> = CLIENTS.iter().filter(|client| !client.is_there()).collect();
    for client in &missing {
        client.fetch().with_context(|| format!("cannot get {}", client.package))?;
    }
    Ok(if missing.is_empty() { Outcome::Present(names) } else { Outcome::Installed(names) })
}

impl Client {
    fn is_there(&self) -> bool {
        let installed = fs::read_to_string(folder(self.name).join(PACKAGE));
        installed.is_ok_and(|installed| installed == self.package)
    }

    fn fetch(&self) -> Result<()> {
        let folder = folder(self.name);
        if folder.exists() {
            fs::remove_dir_all(&folder)?;
        }
        fs::create_dir_all(&folder)?;
        (self.install)(self.package, &folder)?;
        // The last step: it says that the folder is complete.
        fs::write(folder.join(PACKAGE), self.package).map_err(Into::into)
    }
}

/// Into a virtual environment: Debian's pip refuses to install anything beside Debian's own packages.
fn install_python(package: &str, folder: &Path) -> Result<()> {
    // Debian's python3 cannot make one without another package.
    if !succeeds(Command::new("python3").args(["-m", "ensurepip", "--version"])) {
        packages::apt_install(&["python3-venv"])?;
    }
    stdout_of(Command::new("python3").args(["-m", "venv"]).arg(folder))?;
    let mut pip = Command::new(folder.join("bin/pip"));
    stdout_of(pip.args(["install", "--quiet", "--disable-pip-version-check", package])).map(drop)
}

fn install_javascript(package: &str, folder: &Path) -> Result<()> {
    let mut npm = Command::new("npm");
    npm.args(["install", "--no-audit", "--no-fund", "--no-save", "--ignore-scripts", "--prefix"]);
    stdout_of(npm.arg(folder).arg(package).current_dir(folder)).map(drop)
}
