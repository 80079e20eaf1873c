//! Connections of scrapers, within limits.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::time::Duration;

use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::AbortHandle;
use tokio::time::{sleep, timeout};

use super::route::Site;

/// How many connections are open at once. One more takes the place of the oldest: a client that holds
/// connections without a request must not lock Prometheus out, which makes a new one when it has to.
const MAX_CONNECTIONS: usize = 16;

/// How long the head of a request may take, and how long a connection may be idle between two. Scrapes
/// usually come every 15 to 60 seconds.
const HEAD_TIMEOUT: Duration = Duration::from_secs(75);

/// How long a connection may exist. A client that reads slowly keeps an answer in memory for so long.
const MAX_AGE: Duration = Duration::from_mins(30);

/// The buffer of a connection: the longest head of a request, bytes.
const MAX_HEAD: usize = 16 * 1024;

/// How many headers a request may have. Prometheus sends about ten.
const MAX_HEADERS: usize = 64;

/// The pause after a connection that cannot be accepted, for example because all file descriptors are in
/// use.
const RETRY_INTERVAL: Duration = Duration::from_millis(100);

/// Accepts connections and serves them, for ever.
pub(super) async fn accept_all(listener: TcpListener, site: Site) -> ! {
    let mut open: VecDeque<AbortHandle> = VecDeque::with_capacity(MAX_CONNECTIONS);
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                open.retain(|connection| !connection.is_finished());
                if open.len() >= MAX_CONNECTIONS
                    && let Some(oldest) = open.pop_front()
                {
                    oldest.abort();
                }
                let serving = timeout(MAX_AGE, serve(stream, site.clone()));
                open.push_back(tokio::spawn(serving).abort_handle());
            }
            Err(error) => {
                log::warn!("cannot accept a scraper's connection: {error}");
                sleep(RETRY_INTERVAL).await;
            }
        }
    }
}

async fn serve(stream: TcpStream, site: Site) {
    let answer = service_fn(move |request: Request<Incoming>| {
        let answer = site.answer(&request);
        async move { Ok::<_, Infallible>(answer) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .max_buf_size(MAX_HEAD)
        .max_headers(MAX_HEADERS)
        .serve_connection(TokioIo::new(stream), answer);
    if let Err(error) = connection.await {
        log::debug!("connection of a scraper: {error}");
    }
}
