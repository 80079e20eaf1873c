//! A WebSocket as a stream of bytes, for SPDY inside.

use std::io::{self, ErrorKind};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes};
use futures_util::{Sink, Stream};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::mpsc;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::Role;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_util::sync::CancellationToken;

use super::super::error::StreamsError;
use super::super::request::PortRequest;
use super::super::spdy::serve_spdy;
use super::limits::config;

/// The longest message that is sent, bytes.
const MAX_SENT: usize = 128 * 1024;

/// Serves a client that speaks SPDY/3.1 inside a WebSocket, with the subprotocol
/// `SPDY/3.1+portforward.k8s.io`. `io` is the connection after the upgrade. See [`serve_spdy`].
pub async fn serve_tunnel<IO: AsyncRead + AsyncWrite + Unpin + Send>(
    io: IO,
    ending: CancellationToken,
    requests: mpsc::Sender<PortRequest>,
) -> Result<(), StreamsError> {
    serve_spdy(Tunnel::accept(io).await, ending, requests).await
}

/// The bytes of a WebSocket's binary messages. The boundaries between messages mean nothing: kubectl
/// sends one for each write of its SPDY library, also empty ones.
#[derive(Debug)]
pub struct Tunnel<IO> {
    socket: WebSocketStream<IO>,
    /// What is left of the last message.
    rest: Bytes,
    /// The error behind what was read.
    failed: Option<io::Error>,
}

impl<IO: AsyncRead + AsyncWrite + Unpin> Tunnel<IO> {
    /// The server's end of a WebSocket after the upgrade.
    pub async fn accept(io: IO) -> Self {
        Self::over(WebSocketStream::from_raw_socket(io, Role::Server, Some(config())).await)
    }

    pub(super) fn over(socket: WebSocketStream<IO>) -> Self {
        Self { socket, rest: Bytes::new(), failed: None }
    }

    /// The bytes of the next message. `None` at the end.
    fn poll_message(&mut self, context: &mut Context<'_>) -> Poll<io::Result<Option<Bytes>>> {
        if let Some(error) = self.failed.take() {
            return Poll::Ready(Err(error));
        }
        loop {
            let message = match ready!(Pin::new(&mut self.socket).poll_next(context)) {
                None | Some(Err(Error::ConnectionClosed)) => return Poll::Ready(Ok(None)),
                Some(message) => message.map_err(io_error)?,
            };
            match message {
                Message::Binary(bytes) => return Poll::Ready(Ok(Some(bytes))),
                Message::Text(_) => {
                    let error = "a text message in a tunnel for SPDY";
                    return Poll::Ready(Err(io::Error::new(ErrorKind::InvalidData, error)));
                }
                Message::Close(None) => return Poll::Ready(Ok(None)),
                Message::Close(Some(frame)) if frame.code == CloseCode::Normal => {
                    return Poll::Ready(Ok(None));
                }
                Message::Close(Some(frame)) => {
                    let error = format!("the client has closed its WebSocket: {}", frame.code);
                    return Poll::Ready(Err(io::Error::new(ErrorKind::ConnectionAborted, error)));
                }
                // The library answers pings.
                Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => {}
            }
        }
    }
}

impl<IO: AsyncRead + AsyncWrite + Unpin> AsyncRead for Tunnel<IO> {
    /// Fills the buffer from as many messages as have come: kubectl sends the head of a frame and the
    /// data in messages of their own.
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        while buffer.remaining() > 0 {
            if self.rest.is_empty() {
                let has_read = buffer.filled().len() > before;
                match self.poll_message(context) {
                    Poll::Ready(Ok(Some(bytes))) => self.rest = bytes,
                    Poll::Ready(Ok(None)) => break,
                    Poll::Ready(Err(error)) if has_read => {
                        self.failed = Some(error);
                        break;
                    }
                    Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                    Poll::Pending if has_read => break,
                    Poll::Pending => return Poll::Pending,
                }
            }
            let length = self.rest.len().min(buffer.remaining());
            buffer.put_slice(self.rest.get(..length).unwrap_or_default());
            self.rest.advance(length);
        }
        Poll::Ready(Ok(()))
    }
}

impl<IO: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Tunnel<IO> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        ready!(Pin::new(&mut self.socket).poll_ready(context)).map_err(io_error)?;
        let bytes = bytes.get(..MAX_SENT).unwrap_or(bytes);
        let message = Message::Binary(Bytes::copy_from_slice(bytes));
        Pin::new(&mut self.socket).start_send(message).map_err(io_error)?;
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_flush(context).map_err(io_error)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match ready!(Pin::new(&mut self.socket).poll_close(context)) {
            Ok(()) | Err(Error::ConnectionClosed | Error::AlreadyClosed) => Poll::Ready(Ok(())),
            Err(error) => Poll::Ready(Err(io_error(error))),
        }
    }
}

fn io_error(error: Error) -> io::Error {
    match error {
        Error::Io(error) => error,
        error @ (Error::ConnectionClosed | Error::AlreadyClosed) => {
            io::Error::new(ErrorKind::BrokenPipe, error)
        }
        error => io::Error::new(ErrorKind::InvalidData, error),
    }
}
