//! Serves one client.

use std::pin::pin;
use std::sync::Arc;

use tokio::io::{AsyncRead, AsyncWrite, split};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_util::sync::CancellationToken;

use super::super::error::StreamsError;
use super::super::limits::{CLOSE_TIMEOUT, IDLE_TIMEOUT};
use super::super::outbox::Outbox;
use super::super::read_buffer::ReadBuffer;
use super::super::request::PortRequest;
use super::super::writer::write;
use super::connection::Connection;
use super::decoder::Decoder;
use super::encode;

/// Serves a client that speaks SPDY/3.1, until the client closes the connection, or `ending` is
/// cancelled. `io` is the connection after the upgrade. Each connection that the client wants to forward
/// comes as a request; all of them are gone at the end.
pub async fn serve_spdy<IO: AsyncRead + AsyncWrite + Unpin + Send>(
    io: IO,
    ending: CancellationToken,
    requests: mpsc::Sender<PortRequest>,
) -> Result<(), StreamsError> {
    let (from_client, to_client) = split(io);
    let outbox = Arc::new(Outbox::new());
    let mut connection = Connection::new(Arc::clone(&outbox), requests);
    let mut writing = pin!(write(to_client, &outbox));
    let ended = tokio::select! {
        ended = read(from_client, &mut connection, &outbox) => ended,
        written = &mut writing => return Ok(written?),
        () = ending.cancelled() => Ok(()),
    };
    let is_fault = matches!(ended, Err(StreamsError::Spdy(_)));
    outbox.close(|out| encode::go_away(out, connection.last(), is_fault));
    drop(connection);
    // The client may be gone already.
    let _ = timeout(CLOSE_TIMEOUT, writing).await;
    ended
}

/// Reads from the client up to the end.
async fn read(
    mut client: impl AsyncRead + Unpin,
    connection: &mut Connection,
    outbox: &Outbox,
) -> Result<(), StreamsError> {
    let mut buffer = ReadBuffer::new();
    let mut decoder = Decoder::new();
    let mut idle_at = Instant::now() + IDLE_TIMEOUT;
    loop {
        let deadline = connection.deadline().map_or(idle_at, |at| at.min(idle_at));
        tokio::select! {
            read = buffer.fill(&mut client) => {
                if read? == 0 {
                    return Ok(());
                }
                idle_at = Instant::now() + IDLE_TIMEOUT;
                apply(&mut decoder, &mut buffer, connection).await?;
            }
            Some(()) = connection.finished() => {}
            () = sleep_until(deadline) => {
                connection.expire();
                if Instant::now() >= idle_at {
                    if !outbox.was_used() {
                        return Err(StreamsError::Idle(IDLE_TIMEOUT));
                    }
                    idle_at = Instant::now() + IDLE_TIMEOUT;
                }
            }
        }
    }
}

/// Applies everything that has come.
async fn apply(
    decoder: &mut Decoder,
    buffer: &mut ReadBuffer,
    connection: &mut Connection,
) -> Result<(), StreamsError> {
    let mut done = 0;
    loop {
        let input = buffer.bytes().get(done..).unwrap_or_default();
        let (length, event) = decoder.decode(input)?;
        done += length;
        match event {
            Some(event) => connection.apply(event).await?,
            None => break,
        }
    }
    buffer.consume(done);
    Ok(())
}
