//! The scenario of the demo: a pod, a forward to it, and a request through the forward.

use std::time::Duration;

use anyhow::{Context as _, Result};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::kubectl::{Kubectl, serve_to};
use super::limits::LIMITS;
use super::pod::{PORT, Pod};
use super::traced_request::{show_line, traced_request};
use crate::attribution::Attribution;
use crate::forward::{
    self, Forward, Forwarder, ListenOn, Listener, Nsenter, TargetSource, listen_all,
};
use crate::host::privileges;
use crate::model::PortPair;
use crate::monitor::{Monitor, MonitorOptions};
use crate::output::{Sink, escaped};
use crate::runtime::Runtimes;
use crate::target::{Target, TargetName};

/// How long the request and its rows may take. After that, the demo fails.
const DEMO_TIMEOUT: Duration = Duration::from_secs(10);

/// How to run the demo.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// The pod and the forward stay up until shutdown.
    pub stay: bool,
    /// nsenter and socat may be programs that other users can replace.
    pub trust_path: bool,
    /// The kernel programs log.
    pub verbose: bool,
    /// kubectl forwards to the pod, through an endpoint for it.
    pub kubectl: bool,
}

/// Runs the demo.
pub async fn run(
    Options { stay, trust_path, verbose, kubectl }: Options,
    sink: &mut dyn Sink,
    shutdown: &CancellationToken,
) -> Result<()> {
    let kubectl = if kubectl { Some(Kubectl::look_up(trust_path)?) } else { None };
    let dialer = if trust_path { Nsenter::look_up_anywhere() } else { Nsenter::look_up() };
    // A path may have any bytes.
    let dialer =
        dialer.map_err(|error| anyhow::Error::msg(escaped(error.to_string().as_bytes())))?;
    let options = MonitorOptions::own_children(verbose);
    let monitor = Monitor::attach(options, Attribution::without_names())?;
    let Some(pod) = shutdown.run_until_cancelled(Pod::start()).await else { return Ok(()) };
    let pod = pod?;
    let first = format!("Pod with pause process {} in net:[{}]", pod.pause_pid(), pod.netns());
    show_line(sink, first)?;
    let result = match &kubectl {
        Some(kubectl) => {
            Box::pin(serve_to(kubectl, &pod, dialer, monitor, sink, stay, shutdown)).await
        }
        None => forward_to(&pod, dialer, monitor, sink, stay, shutdown).await,
    };
    pod.stop().await;
    result
}

/// Forwards to the pod, makes the request, and shows the execs of the forward.
async fn forward_to(
    pod: &Pod,
    dialer: Nsenter,
    mut monitor: Monitor,
    sink: &mut dyn Sink,
    stay: bool,
    shutdown: &CancellationToken,
) -> Result<()> {
    let target =
        Target::find(&TargetName::Pid(pod.pause_pid()), None, &Runtimes::default()).await?;
    let source = TargetSource::new(target, Runtimes::default(), false, Duration::ZERO).await;
    let ports = PortPair { local: 0, remote: PORT };
    let listeners = listen_all(&[ListenOn::Localhost], &[ports]).map_err(anyhow::Error::msg)?;
    let local = listeners.first().context("no listener")?.ports().local;
    show_listeners(&listeners, sink)?;
    // The kernel programs are attached, the pod runs, and the port is bound.
    privileges::settle_thread();
    let (forwarder, events) = Forwarder::start(source, Box::new(dialer), listeners, LIMITS, None);
    let request = timeout(DEMO_TIMEOUT, traced_request(pod, local, &mut monitor, sink));
    let result = match shutdown.run_until_cancelled(request).await {
        Some(result) => result.context("the request or its rows took too long")?,
        None => Ok(()),
    };
    if result.is_ok() && stay {
        show_line(
            sink,
            format!("Open http://localhost:{local}/ in a browser; Ctrl-C ends the demo"),
        )?;
        let correlator = forward::correlator(true)?;
        let running = Forward { forwarder, events, monitor: Some(monitor), correlator };
        return forward::run(running, sink, shutdown).await;
    }
    forwarder.stop().await;
    result
}

fn show_listeners(listeners: &[Listener], sink: &mut dyn Sink) -> Result<()> {
    for update in forward::opening(listeners, false) {
        sink.update(&update)?;
    }
    Ok(sink.flush()?)
}
