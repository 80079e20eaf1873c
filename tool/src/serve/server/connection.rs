//! One connection: TLS, then HTTP/1.1.

use std::convert::Infallible;
use std::pin::pin;
use std::sync::Arc;

use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tokio_util::sync::CancellationToken;

use super::admission::Visitor;
use super::greeting::begins_tls;
use crate::serve::api::Api;
use crate::serve::limits::EndpointLimits;
use crate::serve::upgraded::UpgradeHandler;

/// At most this many bytes of a request's head. Bodies are not read. kubectl's requests have about 600
/// bytes.
const MAX_HEAD: usize = 32 * 1024;

/// At most this many headers.
const MAX_HEADERS: usize = 64;

/// Serves a connection until it ends, has become a port-forward, or overstays as a stranger.
pub(super) async fn serve<H: UpgradeHandler>(
    stream: TcpStream,
    visitor: Visitor,
    tls: TlsAcceptor,
    api: Arc<Api<H>>,
    limits: EndpointLimits,
) {
    let visitor = Arc::new(visitor);
    let ending = api.ending().clone();
    let serving = async {
        let handshake = ending.run_until_cancelled(handshake(stream, &tls));
        if let Some(Some(stream)) = handshake.await {
            serve_http(stream, Arc::clone(&visitor), api, &limits, &ending).await;
        }
    };
    tokio::select! {
        () = serving => {}
        () = visitor.overstayed() => log::debug!("{} has not shown the token", visitor.address()),
    }
}

async fn handshake(mut stream: TcpStream, tls: &TlsAcceptor) -> Option<TlsStream<TcpStream>> {
    match begins_tls(&mut stream).await {
        Ok(true) => {}
        Ok(false) | Err(_) => return None,
    }
    // A client that does not trust the certificate ends the handshake with an alert.
    let stream = tls.accept(stream).await;
    stream.inspect_err(|error| log::debug!("TLS handshake: {error}")).ok()
}

async fn serve_http<H: UpgradeHandler>(
    stream: TlsStream<TcpStream>,
    visitor: Arc<Visitor>,
    api: Arc<Api<H>>,
    limits: &EndpointLimits,
    ending: &CancellationToken,
) {
    let service = service_fn(|request: Request<Incoming>| {
        let (api, visitor) = (Arc::clone(&api), Arc::clone(&visitor));
        async move { Ok::<_, Infallible>(api.answer(request, &visitor).await) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.idle_time)
        .max_buf_size(MAX_HEAD)
        .max_headers(MAX_HEADERS)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    let mut connection = pin!(connection);
    let result = tokio::select! {
        result = connection.as_mut() => result,
        () = ending.cancelled() => {
            connection.as_mut().graceful_shutdown();
            timeout(limits.ending_time, connection).await.unwrap_or(Ok(()))
        }
    };
    if let Err(error) = result {
        log::debug!("connection of {}: {error}", visitor.address());
    }
}
