//! `pfsnoop forward`: a forwarder that shows what it spawns as the kernel reports it.

use std::io::{Write as _, stdout};

use anyhow::{Context as _, Result};

use super::{harmless, start_logging, stop::Stop, watch::Watch};
use crate::cli::{self, DialerChoice};
use crate::forward::{Dialer, Forwarder, Listener, Native, Notice, Nsenter, PortPair};
use crate::node;
use crate::output::{self, Lines};
use crate::resolve::Target;

pub(super) async fn run(args: cli::Forward) -> Result<()> {
    start_logging(args.verbose);
    let mut stop = Stop::new(None)?;
    let target = Target::find(&args.target, &args.namespace, &args.runtimes.into()).await;
    let target = target.map_err(harmless)?;
    if target.is_host_network() {
        output::complain("note: the target has the node's own network: its ports are the node's");
    }
    let dialer = dialer(args.dialer, &target)?;
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

    node::limits::raise_open_files();
    let (forwarder, mut notices) =
        Forwarder::start(target, dialer, listeners, args.max_connections);
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
    while let Ok(notice) = notices.try_recv() {
        tell(&notice)?;
    }
    watch.show_rest()
}

/// The road: the kubelet's where it can be taken, or the one that was asked for.
fn dialer(choice: DialerChoice, target: &Target) -> Result<Box<dyn Dialer>> {
    let nsenter = match choice {
        DialerChoice::Native => return Ok(Box::new(Native)),
        DialerChoice::Nsenter => Nsenter::look_up()?,
        DialerChoice::Auto if target.pid().is_none() => return Ok(Box::new(Native)),
        DialerChoice::Auto => match Nsenter::look_up() {
            Ok(nsenter) => nsenter,
            Err(missing) => {
                output::complain(&format!("{missing}; connecting natively instead"));
                return Ok(Box::new(Native));
            }
        },
    };
    Ok(Box::new(nsenter))
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
    let Lines { out, err } = output::notice(notice);
    if let Some(line) = err {
        output::complain(&line);
    }
    out.map_or(Ok(()), |line| print(&line))
}

fn print(line: &str) -> Result<()> {
    Ok(writeln!(stdout(), "{line}")?)
}
