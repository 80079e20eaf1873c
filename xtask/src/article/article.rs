//! The two halves of `cargo xtask article`: outside and inside of the node.

use std::fs::{self, File};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, ensure};

use super::act::Act;
use super::cluster::Cluster;
use super::page::Page;
use super::progress::progress;
use super::{kubectl, node};
use crate::cgroups::Cgroups;
use crate::demo;
use crate::guard;
use crate::run::{everything_of, stdout_of, target_dir, workspace_root};
use crate::setup;

/// The page, inside the workspace.
const PAGE: &str = "docs/article.md";

/// Outside: gets the programs, runs the other half in a node of its own, and writes what it found.
pub(crate) fn run() -> Result<()> {
    let uid = stdout_of(Command::new("id").arg("-u"))?;
    ensure!(uid.trim() == "0", "the article needs containers and namespaces; run this as root");
    setup::to_write_article()?;
    let pfsnoop = demo::build()?;
    let cgroups = Cgroups::make("article")?;
    let unfinished = target_dir().join("article.md");
    let output = File::create(&unfinished)?;
    let inside = node::command(&pfsnoop, cgroups.name());
    let ran = inside.and_then(|mut inside| guard::run(inside.stdin(Stdio::null()).stdout(output)));
    // Only now: a cgroup with processes cannot be removed.
    cgroups.remove()?;
    ran.context("no article was written")?;
    let page = fs::read_to_string(&unfinished)?;
    fs::remove_file(&unfinished)?;
    print!("{page}");
    let file = workspace_root().join(PAGE);
    fs::write(&file, page).with_context(|| file.display().to_string())?;
    eprintln!("article: this is {PAGE} now");
    Ok(())
}

/// Inside: starts the cluster, makes the forwards, and prints the page.
pub(crate) fn run_inside(cgroup: &str) -> Result<()> {
    let _cluster = Cluster::start(cgroup)?;
    progress("forward to the pod");
    let pods = stdout_of(kubectl::command().args(["get", "pods", "-o", "wide"]))?;
    let works = Act::play(1)?;
    progress("the same without socat");
    node::remove_socat()?;
    let fails = Act::play(0)?;
    let doctor = everything_of(Command::new("pfsnoop").arg("doctor"))?;
    print!("{}", Page { pods, works, fails, doctor }.render()?);
    Ok(())
}
