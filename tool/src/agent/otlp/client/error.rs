//! Why something was not exported.

use std::error::Error;
use std::time::Duration;

/// There can be no client with these options.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The file of certificates cannot be used.
    #[error("cannot use the certificates in {path}: {why}; see OTEL_EXPORTER_OTLP_CERTIFICATE")]
    Certificates {
        /// The file.
        path: String,
        /// The reason.
        why: String,
    },
    /// The system has no certificates that could be trusted.
    #[error(
        "this system trusts no certificates, which https takes; install ca-certificates, or set \
         OTEL_EXPORTER_OTLP_CERTIFICATE"
    )]
    NoCertificates,
    /// The URL does not name a host.
    #[error("{0} names no host that can be connected to; give http://HOST:PORT")]
    Host(String),
}

/// An attempt has failed.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub(in super::super) struct ExportError {
    message: String,
    /// A later attempt may succeed.
    pub(in super::super) is_transient: bool,
    /// How long the collector asks to wait.
    pub(in super::super) retry_after: Option<Duration>,
}

impl ExportError {
    /// The collector cannot be reached, or does not answer properly.
    pub(super) fn transient(message: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self { message: message.into().to_string(), is_transient: true, retry_after: None }
    }

    /// The collector does not take the records, now or later.
    pub(super) fn permanent(message: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self { is_transient: false, ..Self::transient(message) }
    }

    /// The same, after which the collector asks to wait.
    pub(super) fn after(self, retry_after: Option<Duration>) -> Self {
        Self { retry_after, ..self }
    }
}
