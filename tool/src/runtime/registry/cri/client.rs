//! gRPC to `runtime.v1.RuntimeService` on a unix socket.

use std::path::Path;
use std::time::Duration;

use hyper::http::uri::PathAndQuery;
use prost::Message;
use tonic::client::Grpc;
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Request, Status};
use tonic_prost::ProstCodec;

use crate::runtime::client::RuntimeError;

/// At most this many bytes in the answer with a list: the kubelet's limit (pkg/kubelet/cri/remote,
/// `maxMsgSize`).
pub const MAX_LIST: usize = 16 * 1024 * 1024;

/// At most this many bytes in any other answer. In memory, a hostile one takes about ten times as
/// much.
pub const MAX_STATUS: usize = 4 * 1024 * 1024;

/// Why a call has no answer.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// The daemon hangs, or is very busy.
    #[error("no answer in {} s", .0.as_secs_f32())]
    Timeout(Duration),
    /// The daemon at the socket does not speak gRPC.
    #[error("the socket does not speak gRPC: {0}")]
    Transport(#[from] tonic::transport::Error),
    /// The daemon speaks gRPC, but does not serve this service.
    #[error("it does not serve runtime.v1.RuntimeService (containerd: its CRI plugin is disabled)")]
    NotServed,
    /// The daemon does not have the requested object.
    #[error("{0}")]
    NotFound(String),
    /// The daemon's own error.
    #[error("{0}")]
    Refused(String),
}

/// A connection to a runtime. Several calls may run at the same time.
#[derive(Clone, Debug)]
pub struct Client {
    channel: Channel,
    timeout: Duration,
}

impl Client {
    /// Connects to the socket. Connecting and each call may take as long as `timeout`.
    pub async fn connect(socket: &Path, timeout: Duration) -> Result<Self, CallError> {
        let endpoint = Endpoint::from_shared(format!("unix://{}", socket.display()))?;
        let channel = tokio::time::timeout(timeout, endpoint.connect()).await;
        Ok(Self { channel: channel.map_err(|_| CallError::Timeout(timeout))??, timeout })
    }

    /// Calls a method of the service, such as `ListPodSandbox`. The caller chooses the types that
    /// belong to the method, and how many bytes the answer may have.
    pub async fn call<Q, A>(
        &self,
        method: &str,
        request: Q,
        max_answer: usize,
    ) -> Result<A, CallError>
    where
        Q: Message + 'static,
        A: Message + Default + 'static,
    {
        let path = PathAndQuery::try_from(format!("/runtime.v1.RuntimeService/{method}"));
        let path = path.map_err(|_| CallError::NotServed)?;
        let call = async {
            let mut grpc = Grpc::new(self.channel.clone()).max_decoding_message_size(max_answer);
            grpc.ready().await?;
            let answer = grpc.unary(Request::new(request), path, ProstCodec::default()).await;
            answer.map(tonic::Response::into_inner).map_err(|status| explain(&status))
        };
        let answer = tokio::time::timeout(self.timeout, call).await;
        answer.map_err(|_| CallError::Timeout(self.timeout))?
    }
}

impl From<CallError> for RuntimeError {
    fn from(error: CallError) -> Self {
        match error {
            CallError::Timeout(_) => Self::silent(&error),
            CallError::NotServed => Self::not_served(&error),
            error => Self::other(&error),
        }
    }
}

fn explain(status: &Status) -> CallError {
    let words = status.message().to_owned();
    match status.code() {
        Code::Unimplemented => CallError::NotServed,
        Code::NotFound => CallError::NotFound(words),
        _ => CallError::Refused(words),
    }
}
