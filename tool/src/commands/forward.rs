//! `pfsnoop forward`: a forwarder that shows its helpers as the kernel reports them.

use anyhow::{Context as _, Result};

use super::dialer::DialerOptions;
use super::ignored::note_ignored;
use super::logging::start_logging;
use super::not_found::escaped;
use crate::attribution::Attribution;
use crate::cli;
use crate::forward::{self, AllowedUsers, Forwarder, Listener, TargetSource, listen_all};
use crate::host::privileges::{self, Needs};
use crate::host::{memory, program_file, shutdown};
use crate::monitor::{Monitor, MonitorOptions};
use crate::output::{self, TextOrJson, View};
use crate::runtime::Runtimes;
use crate::target::Target;

/// What it still needs once it listens.
pub(super) fn needs(args: &cli::Forward) -> Needs {
    let sockets = Runtimes::from(args.runtimes.clone()).sockets();
    Needs { tracing: !args.no_watch, processes: true, entering: true, sockets, ..Needs::default() }
}

pub(super) async fn run(args: cli::Forward) -> Result<()> {
    start_logging(args.verbose);
    let limits = args.limits()?;
    let token = shutdown::on_signals()?;
    let runtimes = args.runtimes.into();
    if args.target.is_of_runtime() || args.output == TextOrJson::Json {
        note_ignored(&runtimes);
    }
    let finding = Target::find(&args.target, args.namespace.as_deref(), &runtimes);
    let Some(found) = token.run_until_cancelled(finding).await else { return Ok(()) };
    let target = found.map_err(escaped)?;
    let cli::Forward { dialer: choice, trust_path, connect_timeout, .. } = args;
    let dialer = DialerOptions { choice, trust_path, connect_timeout }.for_target(&target)?;
    // Only JSON records show the owner.
    let has_names = args.output == TextOrJson::Json;
    let looking_up = TargetSource::new(target, runtimes, has_names, args.wait_restart);
    let Some(source) = token.run_until_cancelled(looking_up).await else { return Ok(()) };
    let (target, destination) = (source.target(), source.destination());
    let monitor = if args.no_watch {
        None
    } else {
        let attribution = Attribution::fixed((**destination).clone());
        let monitor = Monitor::attach(MonitorOptions::own_children(args.verbose), attribution);
        Some(monitor.context("cannot watch the helpers; use --no-watch to forward without that")?)
    };
    let correlator = forward::correlator(monitor.is_some())?;
    let listeners = listen_all(&args.address, &args.ports).map_err(anyhow::Error::msg)?;
    forward::refuse_loop(&listeners, target, dialer.via(target))?;
    let allowed_users = allowed_users(args.allow_uid, &listeners)?;
    note_host_network(target);
    if allowed_users.is_none() {
        note_open_addresses(&listeners);
    }
    let mut sink = output::sink(args.output, View::Forward);
    for update in forward::opening(&listeners, monitor.is_some()) {
        sink.update(&update)?;
    }
    sink.flush()?;

    // The kernel programs are attached, and the ports are bound.
    privileges::settle_thread();
    memory::give_back();
    program_file::give_back();
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
