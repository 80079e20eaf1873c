//! GET requests to Podman's API on its unix socket.

use std::path::{Path, PathBuf};
use std::time::Duration;

use http_body_util::{BodyExt as _, Empty, Limited};
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use serde::de::DeserializeOwned;
use tokio::net::UnixStream;
use tokio::time::timeout;

use crate::runtime::client::RuntimeError;

/// How long one answer may take.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(5);

/// At most this many bytes in one answer: room for several thousand containers.
const MAX_ANSWER: usize = 16 * 1024 * 1024;

/// The socket of a daemon. Each request has a connection of its own.
pub(super) struct Client {
    socket: PathBuf,
}

impl Client {
    pub(super) fn new(socket: &Path) -> Self {
        Self { socket: socket.to_owned() }
    }

    /// The answer to a request. The path is that of a URL, and already encoded.
    pub(super) async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, RuntimeError> {
        let answer = self.answer(path).await?;
        serde_json::from_slice(answer.body()).map_err(|error| {
            RuntimeError::other(&format!("its answer to {path} cannot be read: {error}"))
        })
    }

    /// A header of the answer to a request, if it has this header.
    pub(super) async fn header(
        &self,
        path: &str,
        name: &str,
    ) -> Result<Option<String>, RuntimeError> {
        let answer = self.answer(path).await?;
        let header = answer.headers().get(name).and_then(|value| value.to_str().ok());
        Ok(header.map(str::to_owned))
    }

    async fn answer(&self, path: &str) -> Result<Response<Bytes>, RuntimeError> {
        let answer = timeout(ANSWER_TIMEOUT, self.fetch(path)).await;
        let seconds = ANSWER_TIMEOUT.as_secs();
        answer.map_err(|_| RuntimeError::silent(&format!("no answer in {seconds} s")))?
    }

    async fn fetch(&self, path: &str) -> Result<Response<Bytes>, RuntimeError> {
        let other = |error: &dyn std::error::Error| RuntimeError::other(&error.to_string());
        let stream = UnixStream::connect(&self.socket).await?;
        let handshake = http1::handshake(TokioIo::new(stream)).await;
        let (mut sender, connection) = handshake.map_err(|error| other(&error))?;
        let request = Request::get(path).header("host", "podman").body(Empty::<Bytes>::new());
        let request = request.map_err(|error| other(&error))?;
        let answer = async {
            let response = sender.send_request(request).await.map_err(|error| other(&error))?;
            let status = response.status();
            if !status.is_success() {
                return Err(RuntimeError::other(&format!("its answer to {path} is {status}")));
            }
            let (head, body) = response.into_parts();
            let body = Limited::new(body, MAX_ANSWER).collect().await.map_err(|error| {
                RuntimeError::other(&format!("its answer to {path} cannot be read: {error}"))
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
