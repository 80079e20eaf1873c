//! The application in the demo's pod: one web page that shows the server's namespace and the
//! client's request.

use std::convert::Infallible;
use std::io::Write as _;
use std::net::{Ipv4Addr, SocketAddr};

use anyhow::{Context as _, Result};
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use rustix::process::{Signal, set_parent_process_death_signal};
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};
use tokio::net::TcpListener;

use super::pod::{PORT, READY};
use crate::host::privileges;
use crate::host::process::netns_of;

/// Serves until it is killed; `pfsnoop demo-web`.
pub async fn run(pause: u32) -> Result<()> {
    set_parent_process_death_signal(Some(Signal::KILL))?;
    enter(pause).context("cannot enter the pod")?;
    let listener = TcpListener::bind((Ipv4Addr::UNSPECIFIED, PORT)).await?;
    privileges::give_up_all();
    writeln!(std::io::stdout(), "{READY}")?;
    loop {
        let (stream, peer) = listener.accept().await?;
        tokio::spawn(async move {
            let page = service_fn(move |request| async move {
                Ok::<_, Infallible>(Response::new(Full::<Bytes>::from(page(&request, peer))))
            });
            // The demo ignores a client that closes its connection early.
            let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), page).await;
        });
    }
}

/// Joins the namespaces that the pause process holds.
fn enter(pause: u32) -> Result<()> {
    for (name, kind) in
        [("net", LinkNameSpaceType::Network), ("uts", LinkNameSpaceType::HostNameAndNISDomainName)]
    {
        let namespace = std::fs::File::open(format!("/proc/{pause}/ns/{name}"))?;
        move_into_link_name_space(std::os::fd::AsFd::as_fd(&namespace), Some(kind))?;
    }
    Ok(())
}

fn page(request: &Request<Incoming>, peer: SocketAddr) -> String {
    let host_name = rustix::system::uname();
    let host_name = host_name.nodename().to_string_lossy();
    let netns = netns_of(std::process::id())
        .map_or_else(|_| "unknown".to_owned(), |inode| format!("net:[{inode}]"));
    let mut page = format!(
        "pfsnoop demo pod\nhost name: {host_name}\nnetns:     {netns}\npeer:      {peer}\nrequest:   {} {}\n",
        request.method(),
        request.uri(),
    );
    for (name, value) in request.headers() {
        let value = String::from_utf8_lossy(value.as_bytes()).escape_debug().to_string();
        page.push_str(&[name.as_str(), ": ", &value, "\n"].concat());
    }
    page
}
