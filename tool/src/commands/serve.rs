//! `pfsnoop serve`: an endpoint for kubectl, which shows its connections as the kernel sees them.

use anyhow::{Context as _, Result};
use tokio_util::sync::CancellationToken;

use super::dialer::DialerOptions;
use super::forwarder::{self, watch_helpers};
use super::ignored::note_ignored;
use super::logging::start_logging;
use super::not_found::escaped;
use crate::attribution::Attribution;
use crate::cli;
use crate::forward::{self, StreamForwarder};
use crate::host::privileges::Needs;
use crate::host::{clock, service, shutdown};
use crate::model::{Destination, Ready, Serving, Update};
use crate::output::{self, View};
use crate::runtime::Runtimes;
use crate::serve::{AllowList, Endpoint, EndpointLimits, EndpointOptions, Forwarding, PodCounts};

/// What it still needs once it listens.
pub(super) fn needs(args: &cli::Serve) -> Needs {
    forwarder::needs(&args.forwarder)
}

pub(super) async fn run(args: cli::Serve) -> Result<()> {
    let options = args.forwarder;
    start_logging(options.verbose);
    let limits = options.limits()?;
    let token = shutdown::on_signals()?;
    let dialer = DialerOptions::from(&options).for_any_target()?;
    let runtimes: Runtimes = options.runtimes.clone().into();
    note_ignored(&runtimes);
    // The forwarder knows where each of its connections leads: no session needs a lookup.
    let monitor = watch_helpers(&options, Attribution::fixed(Destination::default()))?;
    let correlator = forward::correlator(monitor.is_some())?;
    let endpoint = Endpoint::bind(EndpointOptions {
        address: args.address,
        port: args.port,
        kubeconfig: args.kubeconfig,
        runtimes: runtimes.clone(),
        allowed: AllowList::new(args.allow),
        limits: EndpointLimits::default(),
    })
    .map_err(escaped)?;
    note_open_address(&endpoint);
    let Some(serving) = token.run_until_cancelled(serving(&endpoint)).await else { return Ok(()) };
    let mut sink = output::sink(options.output, View::Serve);
    sink.update(&Update::Serving(Box::new(serving)))?;
    let has_execs = monitor.is_some();
    sink.update(&Update::Ready(Ready {
        time_ns: clock::boottime_ns(),
        command: "serve",
        has_execs,
    }))?;
    sink.flush()?;
    service::ready();

    forwarder::settle();
    let (streams, events) = StreamForwarder::start(dialer, limits, vec![endpoint.address()]);
    let running = forward::Forward { forwarder: streams.forwarder(), events, monitor, correlator };
    let on_failure = args.on_failure.into();
    let forwarding = Forwarding { forwarder: streams, runtimes, on_failure };
    let ending = CancellationToken::new();
    let endpoint = tokio::spawn(endpoint.run(forwarding, ending.clone()));
    let ended = forward::run(running, &mut *sink, &token).await;
    ending.cancel();
    endpoint.await.context("the endpoint has failed")?;
    ended
}

/// What the endpoint serves now. Pods may still come: it goes on without any.
async fn serving(endpoint: &Endpoint) -> Serving {
    let counts = endpoint.count_pods().await.unwrap_or_else(|asked| {
        let asked = output::escaped(asked.as_bytes());
        output::complain(&format!("no pods can be listed now: {asked}"));
        PodCounts::default()
    });
    let PodCounts { pods, containers, runtimes } = counts;
    let (address, kubeconfig) = (endpoint.address(), endpoint.kubeconfig().to_owned());
    Serving { time_ns: clock::boottime_ns(), address, kubeconfig, pods, containers, runtimes }
}

/// Says that other machines can reach the endpoint.
fn note_open_address(endpoint: &Endpoint) {
    let address = endpoint.address();
    if !address.ip().is_loopback() {
        output::complain(&format!(
            "note: everybody who can reach this node can connect to {address}; the token in the \
             kubeconfig decides who is served"
        ));
    }
}
