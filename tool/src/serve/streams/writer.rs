//! Writes what waits for a client.

use std::io;

use tokio::io::{AsyncWrite, AsyncWriteExt};

use super::outbox::Outbox;
use super::waiting::Frames;

/// Writes everything that comes into the outbox, until it is closed. Then ends the connection.
pub(super) async fn write(mut client: impl AsyncWrite + Unpin, outbox: &Outbox) -> io::Result<()> {
    let mut written = Frames::default();
    while let Some(frames) = outbox.next(written).await {
        client.write_all(&frames.bytes).await?;
        client.flush().await?;
        written = frames;
    }
    client.shutdown().await
}
