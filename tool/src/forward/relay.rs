//! Carrying bytes both ways between a client and its helper, each direction for as long as it
//! takes.

use std::io;

use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _, BufReader, copy_buf};
use tokio::net::TcpStream;

use super::dial::Streams;

/// Bytes carried at once; a pipe holds 64 KiB.
const BUFFER: usize = 64 * 1024;

/// Carries until the helper's side has ended and everything from it has reached the client.
///
/// The client's end of sending is passed on (half-close) and does not end the other direction. An
/// error of the client's sending side is its way to leave; what counts is whether it still reads.
pub(super) async fn run(mut client: TcpStream, streams: Streams) -> io::Result<()> {
    let (from_client, to_client) = client.split();
    let up = async {
        // When the helper reads no more, it is about to end, and `down` sees that.
        let _ = carry(from_client, streams.to_target).await;
        std::future::pending().await
    };
    let down = carry(streams.from_target, to_client);
    tokio::select! {
        ended = down => ended,
        never = up => never,
    }
}

/// One direction; ends with closing the writing side.
async fn carry(from: impl AsyncRead + Unpin, mut to: impl AsyncWrite + Unpin) -> io::Result<()> {
    let mut from = BufReader::with_capacity(BUFFER, from);
    copy_buf(&mut from, &mut to).await?;
    to.shutdown().await
}
