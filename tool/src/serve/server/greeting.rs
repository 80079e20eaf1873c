//! The first byte of a connection: TLS, or plain HTTP by mistake.

use std::io;

use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;

/// The first byte of a TLS handshake (RFC 8446, 5.1).
const HANDSHAKE: u8 = 22;

/// What Go's servers, and so the API server, answer to plain HTTP (net/http/server.go).
const NO_TLS: &[u8] = b"HTTP/1.0 400 Bad Request\r\nContent-Type: text/plain\r\n\
    Connection: close\r\n\r\nClient sent an HTTP request to an HTTPS server.\n";

/// Waits for the first byte, which stays unread. Whether TLS begins; plain HTTP is answered.
pub(super) async fn begins_tls(stream: &mut TcpStream) -> io::Result<bool> {
    let mut first = [0];
    if stream.peek(&mut first).await? == 0 {
        return Ok(false);
    }
    let [first] = first;
    if first.is_ascii_uppercase() {
        stream.write_all(NO_TLS).await?;
        stream.shutdown().await?;
        drain(stream).await;
    }
    Ok(first == HANDSHAKE)
}

/// Reads what has come already. A socket that is closed with unread bytes resets the connection, and the
/// client may lose the answer (RFC 9293, 3.6.1).
async fn drain(stream: &TcpStream) {
    let mut unread = [0; 4096];
    while stream.readable().await.is_ok() && matches!(stream.try_read(&mut unread), Ok(1..)) {}
}
