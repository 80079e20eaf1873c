//! `docs/images/watch.svg`: the live view of `pfsnoop watch` while real sessions come and go.

use std::thread::sleep;
use std::time::Duration;

use anyhow::{Context as _, Result};

use super::client::{Typed, download};
use super::forward::Forward;
use super::node::{Logs, NamedPod};
use super::svg;
use super::terminal::Terminal;
use crate::bench::Pod;
use crate::demo;
use crate::run::workspace_root;
use crate::setup;

/// The picture, inside the workspace.
const FILE: &str = "docs/images/watch.svg";

/// The command in the picture.
const PROMPT: &str = "# pfsnoop watch";

/// Size of the file that clients download: more than they take while the picture is made.
const FILE_SIZE: u64 = 1 << 30;

/// A port on which no server listens.
const CLOSED_PORT: u16 = 9090;

/// The line of totals in the picture.
const ALL: &str = "2 open, 3 ok, 1 refused, 1 killed";

/// How long the two sessions that stay open transfer data before the picture is taken.
const TRANSFER: Duration = Duration::from_millis(2500);

pub(crate) fn run() -> Result<()> {
    setup::to_take_screenshots()?;
    let pfsnoop = demo::build()?;
    let kuard = NamedPod::new("kuard", Pod::with_busybox(FILE_SIZE)?)?;
    let cart = NamedPod::new("cart", Pod::with_own_server()?)?;
    let mut watch = Logs::of(&[&kuard, &cart]).command(&pfsnoop);
    watch.arg("watch");
    let mut terminal = Terminal::start(watch, PROMPT)?;
    terminal.wait_for("0 open")?;
    let forward = Forward::start(&pfsnoop, kuard.pid())?;

    end_some(&mut terminal, &kuard, &cart, &forward)?;
    let typed = Typed::start(kuard.pid(), Pod::PORT)?.download()?;
    sleep(Duration::from_millis(700));
    download(forward.connect()?)?;
    terminal.wait_for(ALL)?;
    sleep(TRANSFER);
    let picture = terminal.picture(ALL)?;
    drop(typed);

    let file = workspace_root().join(FILE);
    if let Some(folder) = file.parent() {
        std::fs::create_dir_all(folder)?;
    }
    std::fs::write(&file, svg::render(&picture)).with_context(|| file.display().to_string())?;
    println!("{FILE}");
    Ok(())
}

/// Makes sessions that end, one after another and each in its own way.
fn end_some(
    terminal: &mut Terminal,
    kuard: &NamedPod,
    cart: &NamedPod,
    forward: &Forward,
) -> Result<()> {
    let typed = |pod: &NamedPod, port| Typed::start(pod.pid(), port);
    typed(kuard, Pod::PORT)?.fetch(48_210)?;
    terminal.wait_for("0 open, 1 ok")?;
    forward.fetch(1_310_720)?;
    terminal.wait_for("0 open, 2 ok")?;
    typed(kuard, CLOSED_PORT)?.wait()?;
    terminal.wait_for("0 open, 2 ok, 1 refused")?;
    typed(cart, Pod::PORT)?.fetch(1)?;
    terminal.wait_for("0 open, 3 ok, 1 refused")?;
    let mut killed = typed(kuard, Pod::PORT)?.download()?;
    sleep(Duration::from_millis(1200));
    killed.kill_helper()?;
    terminal.wait_for("0 open, 3 ok, 1 refused, 1 killed")
}
