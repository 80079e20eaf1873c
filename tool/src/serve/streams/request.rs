//! What a client asks for.

use tokio::net::UnixStream;
use tokio_util::sync::CancellationToken;

use super::answer::Answer;

/// A port of the pod that a client asks for, once per forwarded connection.
#[derive(Debug)]
pub struct PortRequest {
    /// The port inside the pod, never 0.
    pub port: u16,
    /// The forwarder's end of the client's data stream. EOF is the client's half-close;
    /// `shutdown(Write)` half-closes towards the client. Drop it before or with the answer: what it
    /// still holds for the client is delivered first.
    pub stream: UnixStream,
    /// Cancelled when the client has reset the stream or has vanished.
    pub gone: CancellationToken,
    /// How the client learns the end. Dropping it resets the data stream.
    pub answer: Answer,
}
