//! OTLP/HTTP with protobuf, by HTTP/1.1.

use std::io::Write as _;
use std::time::Duration;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Incoming;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::header::{
    CONTENT_ENCODING, CONTENT_TYPE, HOST, HeaderMap, HeaderValue, RETRY_AFTER, USER_AGENT,
};
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use jiff::Timestamp;
use prost::Message as _;

use super::connector::Connector;
use super::error::ExportError;
use super::limits::MAX_ANSWER;
use crate::agent::otlp::messages::{ExportRequest, ExportResponse};
use crate::agent::otlp::options::SignalOptions;

/// How this exporter calls itself (OTLP specification, "User Agent").
const AGENT: &str = concat!("pfsnoop/", env!("CARGO_PKG_VERSION"));

/// A connection, and the answer on it.
type Sent = (SendRequest<Full<Bytes>>, Response<Incoming>);

/// A client by HTTP.
pub(in super::super) struct HttpClient {
    pub(super) options: SignalOptions,
    connector: Connector,
    /// The connection of the last request.
    connection: Option<SendRequest<Full<Bytes>>>,
}

impl HttpClient {
    pub(super) fn new(options: SignalOptions, connector: Connector) -> Self {
        Self { options, connector, connection: None }
    }

    pub(super) async fn export(
        &mut self,
        request: &ExportRequest,
    ) -> Result<ExportResponse, ExportError> {
        let request = self.request(request.encode_to_vec())?;
        let (connection, answer) = self.send(request).await?;
        let (status, headers) = (answer.status(), answer.headers().clone());
        let body = body(answer).await?;
        self.connection = Some(connection);
        if status.is_success() {
            // A collector that answers with something else has taken the records all the same.
            return Ok(ExportResponse::decode(body).unwrap_or_default());
        }
        Err(failed(status, &headers))
    }

    /// Sends the request on the connection of the last one, if the collector keeps that, or else on a new
    /// one. A collector may close an idle connection at the moment in which a request comes.
    async fn send(&mut self, request: Request<Full<Bytes>>) -> Result<Sent, ExportError> {
        if let Some(mut connection) = self.connection.take()
            && connection.ready().await.is_ok()
            && let Ok(answer) = connection.send_request(request.clone()).await
        {
            return Ok((connection, answer));
        }
        let mut connection = self.connect().await?;
        let answer = connection.send_request(request).await.map_err(ExportError::transient)?;
        Ok((connection, answer))
    }

    async fn connect(&self) -> Result<SendRequest<Full<Bytes>>, ExportError> {
        let stream = self.connector.connect().await.map_err(ExportError::transient)?;
        let (sender, connection) =
            handshake(TokioIo::new(stream)).await.map_err(ExportError::transient)?;
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                log::debug!("connection to a collector: {error}");
            }
        });
        Ok(sender)
    }

    fn request(&self, body: Vec<u8>) -> Result<Request<Full<Bytes>>, ExportError> {
        let uri = &self.options.uri;
        let path = uri.path_and_query().map_or("/", |path| path.as_str());
        let host = uri.authority().map_or("", |authority| authority.as_str());
        let mut request = Request::builder()
            .method(Method::POST)
            .uri(path)
            .header(HOST, host)
            .header(USER_AGENT, AGENT)
            .header(CONTENT_TYPE, "application/x-protobuf");
        let body = if self.options.is_compressed {
            request = request.header(CONTENT_ENCODING, "gzip");
            compressed(&body).map_err(ExportError::permanent)?
        } else {
            body
        };
        let mut request = request.body(Full::new(body.into())).map_err(ExportError::permanent)?;
        request.headers_mut().extend(self.options.headers.clone());
        Ok(request)
    }
}

async fn body(answer: Response<Incoming>) -> Result<Bytes, ExportError> {
    let body = Limited::new(answer.into_body(), MAX_ANSWER).collect().await;
    body.map(http_body_util::Collected::to_bytes).map_err(ExportError::transient)
}

fn compressed(body: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(body)?;
    encoder.finish()
}

/// Which statuses mean that a later attempt may succeed: OTLP specification, "Failures" of OTLP/HTTP.
fn failed(status: StatusCode, headers: &HeaderMap) -> ExportError {
    let message = format!("the collector answers {status}");
    match status {
        StatusCode::TOO_MANY_REQUESTS
        | StatusCode::BAD_GATEWAY
        | StatusCode::SERVICE_UNAVAILABLE
        | StatusCode::GATEWAY_TIMEOUT => {
            ExportError::transient(message).after(headers.get(RETRY_AFTER).and_then(retry_after))
        }
        _ => ExportError::permanent(message),
    }
}

/// Seconds or a date (RFC 9110, 10.2.3).
fn retry_after(value: &HeaderValue) -> Option<Duration> {
    let value = value.to_str().ok()?.trim();
    if let Ok(seconds) = value.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = jiff::fmt::rfc2822::parse(value).ok()?.timestamp();
    Duration::try_from(date.duration_since(Timestamp::now())).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_collector_names_a_time_or_a_date() {
        let of = |text: &str| retry_after(&HeaderValue::from_str(text).unwrap());
        assert_eq!(of("125"), Some(Duration::from_secs(125)));
        assert_eq!((of("soon"), of("-1")), (None, None));
        assert_eq!(of("Fri, 31 Dec 1999 23:59:59 GMT"), None, "it is over");
        let long = of("Tue, 31 Dec 2999 23:59:59 GMT").unwrap();
        assert!(long > Duration::from_secs(1_000_000_000), "{long:?}");
    }

    #[test]
    fn only_some_statuses_are_tried_again() {
        let mut headers = HeaderMap::new();
        headers.insert(RETRY_AFTER, HeaderValue::from_static("7"));
        for (status, is_transient) in
            [(429, true), (502, true), (503, true), (504, true), (400, false), (500, false)]
        {
            let error = failed(StatusCode::from_u16(status).unwrap(), &headers);
            assert_eq!(error.is_transient, is_transient, "{status}");
            assert_eq!(error.retry_after.is_some(), is_transient, "{status}");
        }
    }
}
