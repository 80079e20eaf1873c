//! `pfsnoop forward`: a forwarder that shows what it spawns as the kernel reports it.

use anyhow::{Context as _, Result, bail};

use super::{children::Children, harmless, start_logging, stop::Stop, telling::Telling};
use crate::cli::{self, DialerChoice};
use crate::forward::{Dialer, Forwarder, ListenOn, Listener, Native, Nsenter, PortPair};
use crate::node;
use crate::output::{self, TextOrJson};
use crate::resolve::{Attributor, Runtimes, Target};
use crate::trace::{Destination, Owner};

pub(super) async fn run(args: cli::Forward) -> Result<()> {
    start_logging(args.verbose);
    let mut stop = Stop::new()?;
    let runtimes = args.runtimes.into();
    let found = stop.or(Target::find(&args.target, &args.namespace, &runtimes)).await;
    let Some(target) = found.transpose().map_err(harmless)? else { return Ok(()) };
    if target.is_host_network() {
        output::complain("note: the target has the node's own network: its ports are the node's");
    }
    let dialer = dialer(args.dialer, &target)?;
    let children = if args.no_watch {
        Children::nothing()
    } else {
        Children::watch(args.verbose)
            .context("cannot watch what is spawned (--no-watch forwards without)")?
    };
    let found = stop.or(destination(&target, &runtimes, args.output)).await;
    let Some(destination) = found else { return Ok(()) };
    let mut telling = Telling::new(children, dialer.via(), destination, args.output)?;
    let listeners = listen(&args.address, &args.ports)?;
    warn_of_the_open(&listeners);
    for listener in &listeners {
        telling.screen().forwarding(listener)?;
    }
    telling.header()?;

    node::limits::raise_open_files();
    let (forwarder, mut notices) =
        Forwarder::start(target, dialer, listeners, args.max_connections);
    telling.run(&mut notices, &mut stop).await?;
    telling.finish(forwarder, &mut notices).await
}

/// Where it leads. Only records have room for whose that is, as far as it is known.
async fn destination(target: &Target, runtimes: &Runtimes, output: TextOrJson) -> Destination {
    let owner = match output {
        TextOrJson::Text => Owner::default(),
        TextOrJson::Json => {
            let mut attributor = Attributor::new(runtimes).await;
            let trail = attributor.trail_into(target);
            attributor.owner(trail).await
        }
    };
    Destination { pid: target.pid(), netns: Some(target.netns().inode()), owner }
}

/// The road: the kubelet's where it can be taken, or the one that was asked for.
fn dialer(choice: DialerChoice, target: &Target) -> Result<Box<dyn Dialer>> {
    let nsenter = match choice {
        DialerChoice::Native => return Ok(Box::new(Native)),
        DialerChoice::Nsenter => Nsenter::look_up()?,
        DialerChoice::Auto if target.pid().is_none() => {
            output::complain("no process is in there for nsenter to enter by; connecting natively");
            return Ok(Box::new(Native));
        }
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
