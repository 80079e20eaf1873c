//! `pfsnoop demo`: the main job on a pod of its own, checked.

use std::io::{Write as _, stdout};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use http_body_util::{BodyExt as _, Empty};
use hyper::Request;
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::{children::Children, start_logging, stop::Stop, telling::Telling};
use crate::cli;
use crate::demo::{PORT, Pod};
use crate::forward::{Forwarder, ListenOn, Listener, Nsenter, PortPair};
use crate::output::{self, TextOrJson};
use crate::resolve::{Runtimes, Target, TargetName};
use crate::trace::{Destination, ExecEvent, Invocation, NsenterSocat, Via, invocation};

/// How long the request and its rows may take before the demo has failed.
const PATIENCE: Duration = Duration::from_secs(10);

/// A browser opens a few.
const MAX_CONNECTIONS: u32 = 64;

/// Lines of the page that are shown.
const PAGE_LINES: usize = 5;

pub(super) async fn run(args: cli::Demo) -> Result<()> {
    start_logging(args.verbose);
    let mut stop = Stop::new()?;
    let dialer = Nsenter::look_up()?;
    let children = Children::watch(args.verbose)?;
    let Some(pod) = stop.or(Pod::start()).await else { return Ok(()) };
    let pod = pod?;
    let outcome = forward_to(&pod, dialer, children, &mut stop, args.stay).await;
    pod.stop().await;
    outcome
}

/// Forwards to the pod, makes the request, and says what was seen of it.
async fn forward_to(
    pod: &Pod,
    dialer: Nsenter,
    mut children: Children,
    stop: &mut Stop,
    stay: bool,
) -> Result<()> {
    print(&format!("Pod with pause process {} in net:[{}]", pod.pause_pid(), pod.netns()))?;
    let target = Target::find(&TargetName::Pid(pod.pause_pid()), "", &Runtimes::default()).await?;
    let pair = PortPair { local: 0, remote: PORT };
    let listeners = Listener::on(&[ListenOn::Localhost], pair)?;
    let local = listeners.first().context("no listener")?.pair().local;
    for listener in &listeners {
        print(&output::forwarding(listener))?;
    }
    let netns = Some(target.netns().inode());
    let destination = Destination { pid: target.pid(), netns, ..Destination::default() };
    let (forwarder, mut notices) =
        Forwarder::start(target, Box::new(dialer), listeners, MAX_CONNECTIONS);
    let outcome = tokio::select! {
        outcome = timeout(PATIENCE, one_request(pod, local, &mut children)) => {
            outcome.context("the request or its rows took too long")?
        }
        () = stop.wait() => Ok(()),
    };
    if outcome.is_ok() && stay {
        print(&format!("Open http://localhost:{local}/ in a browser; Ctrl-C ends the demo"))?;
        let mut telling = Telling::new(children, Via::NsenterSocat, destination, TextOrJson::Text)?;
        telling.run(&mut notices, stop).await?;
        return telling.finish(forwarder, &mut notices).await;
    }
    forwarder.stop().await;
    outcome
}

async fn one_request(pod: &Pod, local: u16, children: &mut Children) -> Result<()> {
    let page = get(local).await.context("the request through the forward failed")?;
    print(&format!("\nGET http://127.0.0.1:{local}/"))?;
    for line in page.lines().take(PAGE_LINES) {
        print(&format!("  {}", output::escaped(line.as_bytes())))?;
    }
    print("")?;
    children.header()?;
    let (nsenter, socat) = the_two_execs(pod, children).await?;
    let seen = format!("net:[{}]", pod.netns());
    if nsenter.pid != socat.pid || socat.netns.map(u64::from) != Some(pod.netns()) {
        bail!("process {} did not become the socat that was seen in the pod", nsenter.pid);
    }
    if !page.contains(&seen) {
        bail!("the page does not come from {seen}");
    }
    print(&format!(
        "\ndemo: ok: process {} was nsenter, entered {seen}, became socat, and fetched the page from there",
        nsenter.pid
    ))
}

/// Shows rows until nsenter and socat of our one connection are among them.
async fn the_two_execs(pod: &Pod, children: &mut Children) -> Result<(ExecEvent, ExecEvent)> {
    let expected = NsenterSocat { target: Some(pod.pause_pid()), port: PORT };
    let (mut nsenter, mut socat) = (None, None);
    loop {
        // What started the pod was seen too, and is not what the demo is about.
        let mut execs = children.next_execs().await?;
        execs.retain(|exec| invocation(&exec.args).is_some());
        children.print(&execs)?;
        for exec in execs {
            match invocation(&exec.args) {
                Some(Invocation::Nsenter(found)) if found == expected => nsenter = Some(exec),
                Some(Invocation::Socat { port: PORT }) => socat = Some(exec),
                _ => {}
            }
        }
        if let (Some(nsenter), Some(socat)) = (&nsenter, &socat) {
            return Ok((nsenter.clone(), socat.clone()));
        }
    }
}

/// One HTTP request to our own forward.
async fn get(port: u16) -> Result<String> {
    let stream = TcpStream::connect(("127.0.0.1", port)).await?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    let connection = tokio::spawn(connection);
    let request = Request::get("/").header("host", "localhost").body(Empty::<Bytes>::new())?;
    let response = sender.send_request(request).await?;
    let body = response.into_body().collect().await?.to_bytes();
    connection.abort();
    Ok(String::from_utf8_lossy(&body).into_owned())
}

fn print(line: &str) -> Result<()> {
    Ok(writeln!(stdout(), "{line}")?)
}
