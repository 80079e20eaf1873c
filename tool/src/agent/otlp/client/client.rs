//! A client by either protocol.

use tokio::time::timeout;

use super::connector::Connector;
use super::error::{ClientError, ExportError};
use super::grpc::GrpcClient;
use super::http::HttpClient;
use crate::agent::otlp::messages::{ExportRequest, ExportResponse};
use crate::agent::otlp::options::SignalOptions;
use crate::agent::otlp::signal::Protocol;

/// A client of a collector. It connects when it has to.
pub(in super::super) enum Client {
    Grpc(GrpcClient),
    Http(HttpClient),
}

impl Client {
    /// Reads the certificates. Must be called while this process may still open files.
    pub(in super::super) fn new(options: &SignalOptions) -> Result<Self, ClientError> {
        let connector = Connector::new(options)?;
        Ok(match options.protocol {
            Protocol::Grpc => Self::Grpc(GrpcClient::new(options.clone(), connector)),
            Protocol::HttpProtobuf => Self::Http(HttpClient::new(options.clone(), connector)),
        })
    }

    /// Sends a request, with connecting, within the time that one attempt may take.
    pub(in super::super) async fn export(
        &mut self,
        request: ExportRequest,
    ) -> Result<ExportResponse, ExportError> {
        let limit = match self {
            Self::Grpc(client) => client.options.timeout,
            Self::Http(client) => client.options.timeout,
        };
        let sending = async {
            match self {
                Self::Grpc(client) => client.export(request).await,
                Self::Http(client) => client.export(&request).await,
            }
        };
        let silent = || format!("no answer in {} s", limit.as_secs_f32());
        timeout(limit, sending).await.map_err(|_| ExportError::transient(silent()))?
    }
}
