//! What the demo does: a pod, one forward, one request, and a check of what the kernel saw.

use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::pod::{PORT, Pod};
use super::request::get;
use crate::attribution::Attribution;
use crate::forward::{self, Forward, Forwarder, ListenOn, Listener, Nsenter, listen_all};
use crate::host::clock;
use crate::model::{ExecEvent, Invocation, NsenterSocat, PortPair, Ready, Update, Via};
use crate::monitor::{Monitor, MonitorOptions};
use crate::output::{self, Sink};
use crate::runtime::Runtimes;
use crate::target::{Target, TargetName};

/// How long the request and its rows may take before the demo has failed.
const DEMO_TIMEOUT: Duration = Duration::from_secs(10);

/// A browser opens a few.
const MAX_CONNECTIONS: u32 = 64;

/// Lines of the page that are shown.
const PAGE_LINES: usize = 5;

/// Runs the demo. With `stay`, the pod and the forward stay up until shutdown.
pub async fn run(
    stay: bool,
    verbose: bool,
    sink: &mut dyn Sink,
    shutdown: &CancellationToken,
) -> Result<()> {
    let dialer = Nsenter::look_up()?;
    let options = MonitorOptions::own_children(verbose);
    let monitor = Monitor::attach(options, Attribution::without_names())?;
    let Some(pod) = shutdown.run_until_cancelled(Pod::start()).await else { return Ok(()) };
    let pod = pod?;
    let result = forward_to(&pod, dialer, monitor, sink, stay, shutdown).await;
    pod.stop().await;
    result
}

/// Forwards to the pod, makes the request, and shows what the kernel saw of it.
async fn forward_to(
    pod: &Pod,
    dialer: Nsenter,
    mut monitor: Monitor,
    sink: &mut dyn Sink,
    stay: bool,
    shutdown: &CancellationToken,
) -> Result<()> {
    line(sink, format!("Pod with pause process {} in net:[{}]", pod.pause_pid(), pod.netns()))?;
    let target = Target::find(&TargetName::Pid(pod.pause_pid()), "", &Runtimes::default()).await?;
    let destination = target.destination();
    let ports = PortPair { local: 0, remote: PORT };
    let listeners = listen_all(&[ListenOn::Localhost], &[ports]).map_err(anyhow::Error::msg)?;
    let local = listeners.first().context("no listener")?.ports().local;
    show_listeners(&listeners, sink)?;
    let (forwarder, events) =
        Forwarder::start(target, Box::new(dialer), listeners, MAX_CONNECTIONS);
    let request = timeout(DEMO_TIMEOUT, one_request(pod, local, &mut monitor, sink));
    let result = match shutdown.run_until_cancelled(request).await {
        Some(result) => result.context("the request or its rows took too long")?,
        None => Ok(()),
    };
    if result.is_ok() && stay {
        line(sink, format!("Open http://localhost:{local}/ in a browser; Ctrl-C ends the demo"))?;
        let correlator = forward::correlator(Via::NsenterSocat, destination, true)?;
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

async fn one_request(
    pod: &Pod,
    local: u16,
    monitor: &mut Monitor,
    sink: &mut dyn Sink,
) -> Result<()> {
    let page = get(local).await.context("the request through the forward failed")?;
    line(sink, format!("\nGET http://127.0.0.1:{local}/"))?;
    for text in page.lines().take(PAGE_LINES) {
        line(sink, format!("  {}", output::escaped(text.as_bytes())))?;
    }
    line(sink, String::new())?;
    let ready = Ready { time_ns: clock::boottime_ns(), command: "demo", has_execs: true };
    sink.update(&Update::Ready(ready))?;
    let (nsenter, socat) = the_two_execs(pod, monitor, sink).await?;
    let netns = format!("net:[{}]", pod.netns());
    if nsenter.pid != socat.pid || socat.netns.map(u64::from) != Some(pod.netns()) {
        bail!("process {} did not become the socat that was seen in the pod", nsenter.pid);
    }
    if !page.contains(&netns) {
        bail!("the page does not come from {netns}");
    }
    let pid = nsenter.pid;
    line(
        sink,
        format!(
            "\ndemo: ok: process {pid} was nsenter, entered {netns}, became socat, and fetched the \
             page from there"
        ),
    )
}

/// Shows rows until nsenter and socat of the one connection are among them.
async fn the_two_execs(
    pod: &Pod,
    monitor: &mut Monitor,
    sink: &mut dyn Sink,
) -> Result<(ExecEvent, ExecEvent)> {
    let expected = NsenterSocat { target: Some(pod.pause_pid()), port: PORT };
    let (mut nsenter, mut socat) = (None, None);
    loop {
        for update in monitor.updates().await?.context("the tracer has ended")? {
            // The execs that started the pod were seen too, and are not part of the forward.
            let Update::Exec(exec, _) = &update else { continue };
            match exec.invocation {
                Some(Invocation::Nsenter(found)) if found == expected => {
                    nsenter = Some(exec.as_ref().clone());
                }
                Some(Invocation::Socat { port: PORT }) => socat = Some(exec.as_ref().clone()),
                Some(_) => {}
                None => continue,
            }
            sink.update(&update)?;
        }
        sink.flush()?;
        if let (Some(nsenter), Some(socat)) = (&nsenter, &socat) {
            return Ok((nsenter.clone(), socat.clone()));
        }
    }
}

/// Shows a line at once.
fn line(sink: &mut dyn Sink, text: String) -> Result<()> {
    sink.update(&Update::Line(text))?;
    Ok(sink.flush()?)
}
