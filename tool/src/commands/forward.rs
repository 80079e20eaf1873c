//! `pfsnoop forward`: a forwarder that shows its helpers as the kernel reports them.

use anyhow::{Context as _, Result};

use super::dialer::DialerOptions;
use super::forwarder::{self, watch_helpers};
use super::ignored::note_ignored;
use super::logging::start_logging;
use super::not_found::escaped;
use crate::attribution::Attribution;
use crate::cli;
use crate::forward::{self, AllowedUsers, Forwarder, Listener, TargetSource, listen_all};
use crate::host::privileges::Needs;
use crate::host::{service, shutdown};
use crate::output::{self, TextOrJson, View};
use crate::target::Target;

/// What it still needs once it listens.
pub(super) fn needs(args: &cli::Forward) -> Needs {
    forwarder::needs(&args.forwarder)
}

pub(super) async fn run(args: cli::Forward) -> Result<()> {
    let options = args.forwarder;
    start_logging(options.verbose);
    let limits = options.limits()?;
    let token = shutdown::on_signals()?;
    let runtimes = options.runtimes.clone().into();
    // Only JSON records show the owner.
    let has_names = options.output == TextOrJson::Json;
    if args.target.is_of_runtime() || has_names {
        note_ignored(&runtimes);
    }
    let finding = Target::find(&args.target, args.namespace.as_deref(), &runtimes);
    let Some(found) = token.run_until_cancelled(finding).await else { return Ok(()) };
    let target = found.map_err(escaped)?;
    let dialer = DialerOptions::from(&options).for_target(&target)?;
    let looking_up = TargetSource::new(target, runtimes, has_names, args.wait_restart);
    let Some(source) = token.run_until_cancelled(looking_up).await else { return Ok(()) };
    let (target, destination) = (source.target(), source.destination());
    let monitor = watch_helpers(&options, Attribution::fixed((**destination).clone()))?;
    let correlator = forward::correlator(monitor.is_some())?;
    let listeners = listen_all(&args.address, &args.ports).map_err(anyhow::Error::msg)?;
    forward::refuse_loop(&listeners, target, dialer.via(target))?;
    let allowed_users = allowed_users(args.allow_uid, &listeners)?;
    note_host_network(target);
    if allowed_users.is_none() {
        note_open_addresses(&listeners);
    }
    let mut sink = output::sink(options.output, View::Forward);
    for update in forward::opening(&listeners, monitor.is_some()) {
        sink.update(&update)?;
    }
    sink.flush()?;
    service::ready();

    forwarder::settle();
    let (forwarder, events) = Forwarder::start(source, dialer, listeners, limits, allowed_users);
    let running = forward::Forward { forwarder, events, monitor, correlator };
    forward::run(running, &mut *sink, &token).await
}

/// Who may use the listeners; `None` is everybody.
fn allowed_users(uids: Vec<u32>, listeners: &[Listener]) -> Result<Option<AllowedUsers>> {
    let Some(first) = listeners.first().filter(|_| !uids.is_empty()) else { return Ok(None) };
    let allowed = AllowedUsers::new(uids, first.address());
    allowed.map(Some).context(
        "--allow-uid does not work: the kernel does not tell whose a socket is (CONFIG_INET_DIAG)",
    )
}

/// Says that a forward into the node's own network reaches every server of the node.
fn note_host_network(target: &Target) {
    if target.is_host_network() {
        output::complain(
            "note: the target uses the node's own network: its ports are the node's ports",
        );
    }
}

/// Says which addresses other machines can reach.
fn note_open_addresses(listeners: &[Listener]) {
    let is_open = |listener: &&Listener| !listener.address().ip().is_loopback();
    let open: Vec<_> =
        listeners.iter().filter(is_open).map(|open| open.address().to_string()).collect();
    if !open.is_empty() {
        output::complain(&format!(
            "note: everybody who can reach this node can use {}",
            open.join(", ")
        ));
    }
}
