//! gRPC to `runtime.v1.RuntimeService` on a unix socket.

use std::path::Path;
use std::time::Duration;

use hyper::http::uri::PathAndQuery;
use prost::Message;
use tonic::client::Grpc;
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Request, Status};
use tonic_prost::ProstCodec;

/// Most bytes of one answer; the kubelet's limit (pkg/kubelet/cri/remote, `maxMsgSize`).
const MAX_ANSWER: usize = 16 * 1024 * 1024;

/// Why a call has no answer.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// The daemon stands still, or is very busy.
    #[error("no answer in {} s", .0.as_secs_f32())]
    Deadline(Duration),
    /// Nothing that speaks gRPC is there.
    #[error("no gRPC there: {0}")]
    Transport(#[from] tonic::transport::Error),
    /// It speaks gRPC, and not this service.
    #[error("it does not serve runtime.v1.RuntimeService (containerd: its CRI plugin is disabled)")]
    NotServed,
    /// What it is asked for is not there.
    #[error("{0}")]
    NotFound(String),
    /// It answered with an error: its own words.
    #[error("{0}")]
    Refused(String),
}

/// A connection to a runtime; calls may go on at the same time.
#[derive(Clone, Debug)]
pub struct Client {
    channel: Channel,
    deadline: Duration,
}

impl Client {
    /// Connects to the socket; this, and each call, may take as long as `deadline`.
    pub async fn connect(socket: &Path, deadline: Duration) -> Result<Self, CallError> {
        let endpoint = Endpoint::from_shared(format!("unix://{}", socket.display()))?;
        let channel = tokio::time::timeout(deadline, endpoint.connect()).await;
        Ok(Self { channel: channel.map_err(|_| CallError::Deadline(deadline))??, deadline })
    }

    /// Calls a method of the service, such as `ListPodSandbox`; the types are the caller's to match.
    pub async fn call<Q, A>(&self, method: &str, request: Q) -> Result<A, CallError>
    where
        Q: Message + 'static,
        A: Message + Default + 'static,
    {
        let path = PathAndQuery::try_from(format!("/runtime.v1.RuntimeService/{method}"));
        let path = path.map_err(|_| CallError::NotServed)?;
        let call = async {
            let mut grpc = Grpc::new(self.channel.clone()).max_decoding_message_size(MAX_ANSWER);
            grpc.ready().await?;
            let answer = grpc.unary(Request::new(request), path, ProstCodec::default()).await;
            answer.map(tonic::Response::into_inner).map_err(|status| explain(&status))
        };
        let answer = tokio::time::timeout(self.deadline, call).await;
        answer.map_err(|_| CallError::Deadline(self.deadline))?
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
