//! `pfsnoop forward`: a forwarder that shows what it spawns as the kernel reports it.

use std::io::{Write as _, stdout};

use anyhow::{Context as _, Result};

use super::{start_logging, stop::Stop, watch::Watch};
use crate::cli;
use crate::forward::{Forwarder, Listener, Notice, Nsenter, PortPair};
use crate::output;
use crate::resolve::Target;

pub(super) async fn run(args: cli::Forward) -> Result<()> {
    start_logging(args.verbose);
    let mut stop = Stop::new(None)?;
    let target = Target::find(&args.target)?;
    let dialer = Nsenter::look_up()?;
    let mut watch = if args.no_watch {
        Watch::nothing()
    } else {
        Watch::own_children(args.verbose)
            .context("cannot watch what is spawned (--no-watch forwards without)")?
    };
    let listeners = listen(&args.ports).await?;
    for listener in &listeners {
        print(&output::forwarding(listener))?;
    }
    watch.header()?;

    let (forwarder, mut notices) = Forwarder::start(target, dialer, listeners);
    loop {
        tokio::select! {
            // A connection is announced before what was spawned for it.
            biased;
            Some(notice) = notices.recv() => tell(&notice)?,
            shown = watch.show() => shown?,
            () = stop.wait() => break,
        }
    }
    forwarder.stop().await;
    watch.show_rest()
}

/// Every port, or none: a forward of which half works is found out too late.
async fn listen(ports: &[PortPair]) -> Result<Vec<Listener>> {
    let mut listeners = Vec::new();
    for &pair in ports {
        listeners.extend(Listener::on_loopback(pair).await?);
    }
    Ok(listeners)
}

pub(super) fn tell(notice: &Notice) -> Result<()> {
    match output::notice(notice) {
        Ok(line) => print(&line)?,
        Err(line) => eprintln!("pfsnoop: {line}"),
    }
    Ok(())
}

fn print(line: &str) -> Result<()> {
    Ok(writeln!(stdout(), "{line}")?)
}
