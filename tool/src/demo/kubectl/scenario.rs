//! The pod, an endpoint for it, kubectl, and a request through all of them.

use std::net::{IpAddr, Ipv4Addr};

use anyhow::{Context as _, Result};
use tokio_util::sync::CancellationToken;

use super::folder::Folder;
use super::pod_runtime::runtimes;
use super::port_forward::{PortForward, shown};
use super::program::Kubectl;
use super::seen::Shown;
use super::use_kubectl::use_kubectl;
use crate::demo::limits::LIMITS;
use crate::demo::pod::{PORT, Pod};
use crate::forward::{self, Forward, Nsenter, StreamForwarder};
use crate::host::{clock, privileges};
use crate::model::{NsenterSocat, Ready, Serving, Update};
use crate::monitor::Monitor;
use crate::output::{Sink, escaped};
use crate::runtime::Runtimes;
use crate::serve::{
    AllowList, Endpoint, EndpointLimits, EndpointOptions, Forwarding, OnFailure, PodCounts,
};

/// Serves the pod, has kubectl forward to it, makes the request, and shows what both ends say.
pub(in crate::demo) async fn serve_to(
    kubectl: &Kubectl,
    pod: &Pod,
    dialer: Nsenter,
    monitor: Monitor,
    sink: &mut dyn Sink,
    stay: bool,
    shutdown: &CancellationToken,
) -> Result<()> {
    let folder = Folder::make()?;
    let runtimes = runtimes(pod);
    let endpoint = bind(&folder, runtimes.clone())?;
    show_opening(&endpoint, sink).await?;
    // The kernel programs are attached, the pod runs, and the endpoint listens.
    privileges::settle_thread();
    let mut kubectl = PortForward::start(kubectl, endpoint.kubeconfig())?;
    let (streams, events) =
        StreamForwarder::start(Box::new(dialer), LIMITS, vec![endpoint.address()]);
    let (forwarder, correlator) = (streams.forwarder(), forward::correlator(true)?);
    let running = Forward { forwarder, events, monitor: Some(monitor), correlator };
    let forwarding = Forwarding { forwarder: streams, runtimes, on_failure: OnFailure::Report };
    let (ending, done) = (CancellationToken::new(), shutdown.child_token());
    let endpoint = tokio::spawn(endpoint.run(forwarding, ending.clone()));

    let expected = NsenterSocat { target: Some(pod.pause_pid()), port: PORT };
    let shown = Shown::new(sink, expected);
    // Either of them ends both.
    let client = async {
        let client = use_kubectl(&mut kubectl, pod, &shown, stay);
        let result = done.run_until_cancelled(client).await.unwrap_or(Ok(None));
        done.cancel();
        result
    };
    let rows = async {
        let result = forward::run(running, &mut &shown, &done).await;
        done.cancel();
        result
    };
    let (result, shown_all) = tokio::join!(client, rows);
    kubectl.stop().await;
    ending.cancel();
    endpoint.await.context("the endpoint has failed")?;
    shown_all?;
    if let Some(checked) = result? {
        shown.line(checked)?;
    }
    Ok(())
}

fn bind(folder: &Folder, runtimes: Runtimes) -> Result<Endpoint> {
    let options = EndpointOptions {
        address: IpAddr::V4(Ipv4Addr::LOCALHOST),
        port: 0,
        kubeconfig: folder.path().join("kubeconfig"),
        runtimes,
        allowed: AllowList::default(),
        limits: EndpointLimits::default(),
    };
    // A path may have any bytes.
    Endpoint::bind(options)
        .map_err(|error| anyhow::Error::msg(escaped(error.to_string().as_bytes())))
}

async fn show_opening(endpoint: &Endpoint, sink: &mut dyn Sink) -> Result<()> {
    let counts = endpoint.count_pods().await.map_err(anyhow::Error::msg)?;
    let PodCounts { pods, containers, runtimes } = counts;
    let (time_ns, address) = (clock::boottime_ns(), endpoint.address());
    let kubeconfig = endpoint.kubeconfig().to_owned();
    let serving = Serving { time_ns, address, kubeconfig, pods, containers, runtimes };
    sink.update(&Update::Serving(Box::new(serving)))?;
    sink.update(&Update::Line(format!("\n{}", shown())))?;
    sink.update(&Update::Ready(Ready { time_ns, command: "demo", has_execs: true }))?;
    Ok(sink.flush()?)
}
