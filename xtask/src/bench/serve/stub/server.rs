//! The stub's listener and its connections.

use std::io::Write as _;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, Result};
use rustls::ServerConfig;

use super::answers::answer;
use super::head::Head;
use super::tls::Stream;
use super::{kubeconfig, relay, tls};
use crate::bench::Pod;
use crate::bench::serve::cri;

/// `cargo xtask api-stub`
#[derive(clap::Args)]
pub(crate) struct ApiStub {
    /// The sandbox that is forwarded to
    sandbox: String,
    /// Where to write the kubeconfig, once it listens
    kubeconfig: PathBuf,
    /// Speak TLS
    #[arg(long)]
    tls: bool,
}

/// Serves until a signal ends it.
pub(crate) fn run(stub: &ApiStub) -> Result<()> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let address = listener.local_addr()?;
    let certificate = stub.kubeconfig.with_extension("crt");
    let config = if stub.tls { Some(tls::config(&certificate)?) } else { None };
    let (scheme, authority) = match config {
        Some(_) => ("https", Some(certificate.as_path())),
        None => ("http", None::<&Path>),
    };
    kubeconfig::write(&stub.kubeconfig, &format!("{scheme}://{address}"), authority)?;
    for stream in listener.incoming() {
        let (stream, config, sandbox) = (stream?, config.clone(), stub.sandbox.clone());
        std::thread::spawn(move || {
            if let Err(error) = serve(stream, config, &sandbox) {
                eprintln!("api-stub: {error:#}");
            }
        });
    }
    Ok(())
}

fn serve(stream: TcpStream, config: Option<Arc<ServerConfig>>, sandbox: &str) -> Result<()> {
    stream.set_nodelay(true)?;
    let client = Stream::accept(stream, config)?;
    while let Some(head) = Head::read(&client)? {
        if head.method == "POST" && head.path.ends_with("/portforward") {
            let server = upgrade(&head, sandbox)?;
            return Ok(relay::both_ways(client, server)?);
        }
        client.write_all(&answer(&head.path))?;
    }
    Ok(())
}

/// Passes the request for the upgrade on to containerd. Its answer is the first of what is copied.
fn upgrade(head: &Head, sandbox: &str) -> Result<TcpStream> {
    let url = cri::port_forward(sandbox, Pod::PORT)?;
    let place = url.strip_prefix("http://").and_then(|url| url.split_once('/'));
    let (address, path) = place.with_context(|| format!("containerd streams at {url}"))?;
    let mut server = TcpStream::connect(address).with_context(|| url.clone())?;
    server.set_nodelay(true)?;
    server.write_all(format!("POST /{path} HTTP/1.1\r\n{}", head.headers).as_bytes())?;
    server.write_all(&head.rest)?;
    Ok(server)
}
