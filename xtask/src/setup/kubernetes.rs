//! Kubernetes 1.20 for `cargo xtask article`. Its kubelet and its API server are built from Debian's source
//! package; Debian has no newer one with dockershim, which Kubernetes removed in 1.24.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};

use super::debian::Lists;
use super::go::Go;
use super::part::{self, Part};
use super::step::Outcome;
use crate::run::stdout_of;

/// The Debian release with this version.
const RELEASE: &str = "bookworm";

/// What Debian has built: the compiler, and the programs that Debian ships of Kubernetes and of etcd.
const PARTS: &[Part] = &[
    Part {
        name: GO,
        release: RELEASE,
        packages: &[&["golang-1.19-go", "golang-1.19-src"]],
        programs: &["go"],
        needs_own_libc: false,
    },
    Part {
        name: CLIENT,
        release: RELEASE,
        packages: &[&["kubernetes-client", "etcd-server"]],
        programs: &["kubectl", "etcd"],
        needs_own_libc: false,
    },
];

const GO: &str = "go-bookworm";
const CLIENT: &str = "kubectl-bookworm";

/// What Debian has only as sources.
const SERVER: &str = "kubernetes-bookworm";

/// What `--version` prints. Without a version, the kubelet takes itself for an unknown release.
const VERSION: &str = "v1.20.2";

/// Where Go looks for the sources: this path is part of all names of packages.
const TREE: &str = "src/k8s.io/kubernetes";

/// The folders with the programs: kubectl and etcd, kubelet and kube-apiserver.
pub(crate) fn programs() -> [PathBuf; 2] {
    [CLIENT, SERVER].map(|part| part::folder(part).join("bin"))
}

/// Stores the programs in `target/parts/NAME/bin`. The first time, this takes minutes.
pub(super) fn ensure() -> Result<Outcome> {
    let parts = part::ensure_all(PARTS)?;
    let folder = part::folder(SERVER);
    if folder.join("bin").exists() {
        return Ok(parts);
    }
    build(&folder).context("cannot build Kubernetes")?;
    Ok(Outcome::Installed(format!("kubelet kube-apiserver {VERSION}")))
}

fn build(folder: &Path) -> Result<()> {
    let tree = folder.join("go").join(TREE);
    if !tree.exists() {
        println!("setup: get the sources of Kubernetes");
        unpack(folder, &tree)?;
    }
    let unfinished = folder.join("bin.unfinished");
    fs::create_dir_all(&unfinished)?;
    // As `kube::version::ldflags` does (hack/lib/version.sh).
    let version = |package| format!("-X k8s.io/kubernetes/vendor/{package}.gitVersion={VERSION}");
    let versions = ["k8s.io/client-go/pkg/version", "k8s.io/component-base/version"].map(version);
    let go = Go {
        root: part::folder(GO).join("root/usr/lib/go-1.19"),
        path: folder.join("go"),
        cache: folder.join("cache"),
        link: format!("-s -w {}", versions.join(" ")),
    };
    go.build("k8s.io/kubernetes/cmd/kubelet", &unfinished)?;
    generate(&go, &tree, folder)?;
    go.build("k8s.io/kubernetes/cmd/kube-apiserver", &unfinished)?;
    // The last step: setup takes the folder for a part that is complete.
    fs::rename(unfinished, folder.join("bin"))?;
    for needed_no_more in ["packages", "apt", "tools", "go", "cache"] {
        fs::remove_dir_all(folder.join(needed_no_more))?;
    }
    Ok(())
}

/// Unpacks the source package, with Debian's patches applied.
fn unpack(folder: &Path, tree: &Path) -> Result<()> {
    let packages = folder.join("packages");
    fs::create_dir_all(&packages)?;
    let lists = Lists::of_sources(RELEASE, &folder.join("apt"))?;
    lists.download_source("kubernetes", &packages)?;
    let unfinished = folder.join("sources.unfinished");
    let script = "rm -rf \"$1\" && dpkg-source --no-check --extract *.dsc \"$1\"";
    let mut shell = Command::new("sh");
    stdout_of(shell.args(["-c", script, "sh"]).arg(&unfinished).current_dir(&packages))?;
    fs::create_dir_all(tree.parent().context("no folder for the sources")?)?;
    fs::rename(unfinished, tree).map_err(Into::into)
}

/// Generates the only Go file that the API server needs and that the sources lack, as
/// `Makefile.generated_files` does (its `KUBE_OPENAPI_OUTFILE`).
fn generate(go: &Go, tree: &Path, folder: &Path) -> Result<()> {
    let tools = folder.join("tools");
    fs::create_dir_all(&tools)?;
    go.build("k8s.io/kubernetes/vendor/k8s.io/kube-openapi/cmd/openapi-gen", &tools)?;
    let script = "find -L vendor/k8s.io pkg -name '*.go' -not -path '*/testdata/*' -print0 \
                  | xargs -0 grep -l '^// *+k8s:openapi-gen=' \
                  | grep -v -e code-generator/ -e sample-apiserver/ \
                  | xargs -n1 dirname | LC_ALL=C sort -u";
    let folders = stdout_of(Command::new("sh").args(["-c", script]).current_dir(tree))?;
    let inputs: Vec<_> =
        folders.lines().map(|folder| format!("k8s.io/kubernetes/{folder}")).collect();
    let mut generator = go.command(&tools.join("openapi-gen"));
    generator.args(["--input-dirs", &inputs.join(",")]);
    generator.args(["--output-package", "k8s.io/kubernetes/pkg/generated/openapi"]);
    generator.args(["--output-file-base", "zz_generated.openapi"]);
    generator.args(["--go-header-file", "vendor/k8s.io/code-generator/hack/boilerplate.go.txt"]);
    generator.args(["--report-filename", "/dev/null"]).current_dir(tree);
    stdout_of(&mut generator).map(drop)
}
