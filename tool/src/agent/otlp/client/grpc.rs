//! OTLP/gRPC.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use hyper::Uri;
use hyper::http::uri::PathAndQuery;
use hyper_util::rt::TokioIo;
use prost::Message as _;
use tonic::client::Grpc;
use tonic::codec::CompressionEncoding;
use tonic::metadata::MetadataMap;
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Request, Status};
use tonic_prost::ProstCodec;
use tower_service::Service;

use super::connector::{Connector, Stream};
use super::error::ExportError;
use super::limits::MAX_ANSWER;
use crate::agent::otlp::messages::{ExportRequest, ExportResponse, RetryInfo, RpcStatus};
use crate::agent::otlp::options::SignalOptions;

/// A client by gRPC.
pub(in super::super) struct GrpcClient {
    pub(super) options: SignalOptions,
    connector: Connector,
    /// Connects again by itself.
    channel: Option<Channel>,
}

impl GrpcClient {
    pub(super) fn new(options: SignalOptions, connector: Connector) -> Self {
        Self { options, connector, channel: None }
    }

    pub(super) async fn export(
        &mut self,
        request: ExportRequest,
    ) -> Result<ExportResponse, ExportError> {
        let mut grpc = Grpc::new(self.channel()).max_decoding_message_size(MAX_ANSWER);
        if self.options.is_compressed {
            grpc = grpc.send_compressed(CompressionEncoding::Gzip);
        }
        grpc.ready().await.map_err(|error| ExportError::transient(chain(&error)))?;
        let mut request = Request::new(request);
        *request.metadata_mut() = MetadataMap::from_headers(self.options.headers.clone());
        let path = PathAndQuery::from_static(self.options.signal.grpc_path());
        let answer = grpc.unary(request, path, ProstCodec::default()).await;
        answer.map(tonic::Response::into_inner).map_err(|status| failed(&status))
    }

    fn channel(&mut self) -> Channel {
        let connect = || {
            let endpoint = Endpoint::from(self.options.uri.clone());
            endpoint.connect_with_connector_lazy(self.connector.clone())
        };
        self.channel.get_or_insert_with(connect).clone()
    }
}

/// Which statuses mean that a later attempt may succeed: OTLP specification, "Failures" of OTLP/gRPC.
fn failed(status: &Status) -> ExportError {
    let message = match status.message() {
        "" => status.code().description().to_owned(),
        message => message.to_owned(),
    };
    let retry_after = retry_after(status);
    let is_transient = match status.code() {
        Code::Cancelled
        | Code::DeadlineExceeded
        | Code::Aborted
        | Code::OutOfRange
        | Code::Unavailable
        | Code::DataLoss => true,
        Code::ResourceExhausted => retry_after.is_some(),
        // Not an answer of the collector, but of the connection.
        Code::Unknown | Code::Internal => std::error::Error::source(status).is_some(),
        _ => false,
    };
    let error = if is_transient {
        ExportError::transient(message)
    } else {
        ExportError::permanent(message)
    };
    error.after(retry_after)
}

/// The `RetryInfo` in the details of the status.
fn retry_after(status: &Status) -> Option<Duration> {
    let details = RpcStatus::decode(status.details()).ok()?.details;
    let info = details.iter().find(|one| one.type_url.ends_with("/google.rpc.RetryInfo"))?;
    let delay = RetryInfo::decode(info.value.as_slice()).ok()?.retry_delay?;
    Some(Duration::new(u64::try_from(delay.seconds).ok()?, u32::try_from(delay.nanos).ok()?))
}

/// An error with its causes: tonic's own texts say only "transport error".
fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |error| error.source());
    let all = std::iter::once(error.to_string()).chain(causes.map(ToString::to_string));
    all.collect::<Vec<_>>().join(": ")
}

/// Connects for tonic.
impl Service<Uri> for Connector {
    type Response = TokioIo<Box<dyn Stream>>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Self::Response>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Uri) -> Self::Future {
        let connector = self.clone();
        Box::pin(async move { connector.connect().await.map(TokioIo::new) })
    }
}
