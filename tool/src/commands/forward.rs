//! `pfsnoop forward`: a forwarder that shows what it spawns as the kernel reports it.

use anyhow::{Context as _, Result, bail};

use super::report::Screen;
use super::{children::Children, harmless, start_logging, stop::Stop};
use crate::cli::{self, DialerChoice};
use crate::forward::{Dialer, Forwarder, ListenOn, Listener, Native, Nsenter, PortPair};
use crate::node;
use crate::output::{self, TextOrJson};
use crate::resolve::{Attributor, Runtimes, Target};
use crate::trace::Owner;

pub(super) async fn run(args: cli::Forward) -> Result<()> {
    start_logging(args.verbose);
    let mut stop = Stop::new(None)?;
    let runtimes = args.runtimes.into();
    let target = Target::find(&args.target, &args.namespace, &runtimes).await;
    let target = target.map_err(harmless)?;
    if target.is_host_network() {
        output::complain("note: the target has the node's own network: its ports are the node's");
    }
    let dialer = dialer(args.dialer, &target)?;
    let mut watch = if args.no_watch {
        Children::nothing()
    } else {
        Children::watch(args.verbose)
            .context("cannot watch what is spawned (--no-watch forwards without)")?
    };
    let mut screen = match args.output {
        TextOrJson::Text => Screen::text(),
        TextOrJson::Json => {
            let owner = owner_of(&target, &runtimes).await;
            watch = watch.into_json(owner.clone());
            Screen::json(&target, owner, dialer.via())?
        }
    };
    let listeners = listen(&args.address, &args.ports)?;
    warn_of_the_open(&listeners);
    for listener in &listeners {
        screen.forwarding(listener)?;
    }
    watch.header()?;

    node::limits::raise_open_files();
    let (forwarder, mut notices) =
        Forwarder::start(target, dialer, listeners, args.max_connections);
    loop {
        tokio::select! {
            // A connection is announced before what was spawned for it.
            biased;
            Some(notice) = notices.recv() => screen.tell(&notice)?,
            shown = watch.show() => shown?,
            () = stop.wait() => break,
        }
    }
    forwarder.stop().await;
    while let Ok(notice) = notices.try_recv() {
        screen.tell(&notice)?;
    }
    watch.show_rest()?;
    screen.sum_up()
}

/// Whose the target is, as far as that is known.
async fn owner_of(target: &Target, runtimes: &Runtimes) -> Owner {
    let mut attributor = Attributor::new(runtimes).await;
    let trail = attributor.trail_into(target);
    attributor.owner(trail).await
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

/// Every port, or none, and then in kubectl's words. (kubectl itself goes on with the ports that it
/// got: that half of a forward is missing is then found out too late.)
fn listen(addresses: &[ListenOn], ports: &[PortPair]) -> Result<Vec<Listener>> {
    let (mut listeners, mut failed) = (Vec::new(), Vec::new());
    for &pair in ports {
        match Listener::on(addresses, pair) {
            Ok(on_all) => listeners.extend(on_all),
            Err(error) => failed.push(error),
        }
    }
    let Some(first) = failed.first() else { return Ok(listeners) };
    let none = listeners.is_empty().then(|| {
        let ports: Vec<_> =
            ports.iter().map(|pair| format!("{{{} {}}}", pair.local, pair.remote)).collect();
        format!("unable to listen on any of the requested ports: [{}]: ", ports.join(" "))
    });
    let each: Vec<_> = failed.iter().map(ToString::to_string).collect();
    bail!("{}{}; {}", none.unwrap_or_default(), each.join("; "), first.advice())
}

/// Warns of addresses that others can reach.
fn warn_of_the_open(listeners: &[Listener]) {
    let is_open = |listener: &&Listener| !listener.address().ip().is_loopback();
    let open: Vec<_> = listeners.iter().filter(is_open).map(Listener::address).collect();
    if !open.is_empty() {
        let open: Vec<_> = open.iter().map(ToString::to_string).collect();
        let open = open.join(", ");
        output::complain(&format!("note: everybody who reaches this node can use {open}"));
    }
}
