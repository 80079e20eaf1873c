//! GET requests over HTTP on a unix socket, for the APIs of Docker and Podman. What answers may be
//! broken or hostile: its head and its body have limits, and the caller limits the time
//! ([`worker`](crate::runtime::worker)).

use std::path::{Path, PathBuf};

use http_body_util::{BodyExt as _, Empty, Limited};
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper::header::CONTENT_ENCODING;
use hyper::{HeaderMap, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::UnixStream;

use super::json;
use crate::runtime::client::RuntimeError;

/// At most this many bytes in the answer with a list: room for several thousand containers.
const MAX_LIST: usize = 16 * 1024 * 1024;

/// At most this many bytes in an answer about one container.
const MAX_OBJECT: usize = 4 * 1024 * 1024;

/// At most this many bytes of the answer's head.
const MAX_HEAD: usize = 64 * 1024;

/// The socket of a daemon. Each request has a connection of its own.
pub(super) struct Client {
    socket: PathBuf,
}

impl Client {
    pub(super) fn new(socket: &Path) -> Self {
        Self { socket: socket.to_owned() }
    }

    /// The answer to a request for a list. The path is that of a URL, and already encoded.
    pub(super) async fn list(&self, path: &str) -> Result<Bytes, RuntimeError> {
        let answer = self.fetch(path, MAX_LIST).await?;
        if !answer.status().is_success() {
            return Err(refused(path, &answer));
        }
        Ok(answer.into_body())
    }

    /// The answer to a request for one object; `None` if the daemon does not have it.
    pub(super) async fn object(&self, path: &str) -> Result<Option<Bytes>, RuntimeError> {
        let answer = self.fetch(path, MAX_OBJECT).await?;
        match answer.status() {
            status if status.is_success() => Ok(Some(answer.into_body())),
            StatusCode::NOT_FOUND => Ok(None),
            _ => Err(refused(path, &answer)),
        }
    }

    /// The headers of the answer to a request.
    pub(super) async fn headers(&self, path: &str) -> Result<HeaderMap, RuntimeError> {
        let answer = self.fetch(path, MAX_OBJECT).await?;
        if !answer.status().is_success() {
            return Err(refused(path, &answer));
        }
        Ok(answer.into_parts().0.headers)
    }

    async fn fetch(&self, path: &str, limit: usize) -> Result<Response<Bytes>, RuntimeError> {
        let stream = UnixStream::connect(&self.socket).await?;
        let handshake =
            http1::Builder::new().max_buf_size(MAX_HEAD).handshake(TokioIo::new(stream));
        let (mut sender, connection) = handshake.await.map_err(|error| unreadable(path, &error))?;
        let request = Request::get(path).header("host", "localhost").body(Empty::<Bytes>::new());
        let request = request.map_err(|error| RuntimeError::other(&error))?;
        let answer = async {
            let response = sender.send_request(request).await;
            let response = response.map_err(|error| unreadable(path, &error))?;
            // No encoding was asked for.
            if let Some(encoding) = response.headers().get(CONTENT_ENCODING) {
                let encoding = String::from_utf8_lossy(encoding.as_bytes());
                return Err(unreadable(path, &format!("its encoding is {encoding:?}")));
            }
            let (head, body) = response.into_parts();
            let body = Limited::new(body, limit).collect().await.map_err(|error| {
                if error.is::<http_body_util::LengthLimitError>() {
                    let limit = limit / (1024 * 1024);
                    return unreadable(path, &format!("it is larger than {limit} MiB"));
                }
                unreadable(path, &error)
            })?;
            Ok(Response::from_parts(head, body.to_bytes()))
        };
        // The connection moves the bytes. Its end shows in the answer.
        let connection = async {
            let _ = connection.await;
            std::future::pending().await
        };
        tokio::select! { answer = answer => answer, never = connection => never }
    }
}

/// An answer that is not as the API describes it.
pub(super) fn unreadable(path: &str, why: &impl ToString) -> RuntimeError {
    let why = why.to_string();
    RuntimeError::other(&format!("its answer to {path} cannot be read: {why}"))
}

/// An answer that is an error. Docker and Podman say in the body why.
fn refused(path: &str, answer: &Response<Bytes>) -> RuntimeError {
    let status = answer.status();
    let why = json::message(answer.body()).map(|why| format!(": {why}")).unwrap_or_default();
    RuntimeError::other(&format!("its answer to {path} is {status}{why}"))
}
