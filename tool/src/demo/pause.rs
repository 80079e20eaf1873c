//! The pause process. It creates a network namespace, brings loopback up inside it, and then
//! sleeps, like the pause process of a real pod.

use std::io::Write as _;

use anyhow::{Context as _, Result};
use rtnetlink::LinkUnspec;
use rustix::process::{Signal, set_parent_process_death_signal};
use rustix::thread::{UnshareFlags, unshare_unsafe};

use super::pod::{NAME, READY};
use crate::host::privileges;

/// The index of `lo` in every network namespace (`LOOPBACK_IFINDEX`, include/net/flow.h).
const LOOPBACK: u32 = 1;

/// Runs until it is killed; `pfsnoop demo-pause`.
pub fn run() -> Result<()> {
    set_parent_process_death_signal(Some(Signal::KILL))?;
    // SAFETY: no other thread and no file descriptor of this process depends on these namespaces.
    unsafe { unshare_unsafe(UnshareFlags::NEWNET | UnshareFlags::NEWUTS) }
        .context("cannot create a network namespace; run pfsnoop as root")?;
    rustix::system::sethostname(NAME.as_bytes()).context("cannot set the pod's host name")?;
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?
        .block_on(bring_loopback_up())
        .context("cannot bring loopback up in the pod")?;
    privileges::give_up_all();
    writeln!(std::io::stdout(), "{READY}")?;
    loop {
        std::thread::park();
    }
}

async fn bring_loopback_up() -> Result<()> {
    let (connection, netlink, _) = rtnetlink::new_connection()?;
    let connection = tokio::spawn(connection);
    netlink.link().set(LinkUnspec::new_with_index(LOOPBACK).up().build()).execute().await?;
    connection.abort();
    Ok(())
}
