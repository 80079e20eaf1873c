//! SPDY inside a WebSocket.

use futures_util::SinkExt;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::mpsc;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_util::sync::CancellationToken;

use super::super::super::spdy::client;
use super::super::tunnel::{Tunnel, serve_tunnel};
use super::client::{next, pair, send};

#[tokio::test]
async fn boundaries_mean_nothing() {
    let (mut client, servers) = pair().await;
    let mut tunnel = Tunnel::accept(servers).await;
    for piece in [&b"ab"[..], b"", b"c", b"defg"] {
        send(&mut client, piece).await;
    }
    client.send(Message::Ping(b"?"[..].into())).await.unwrap();
    send(&mut client, b"h").await;
    let mut start = [0; 3];
    tunnel.read_exact(&mut start).await.unwrap();
    assert_eq!(&start, b"abc");
    let mut rest = [0; 5];
    tunnel.read_exact(&mut rest).await.unwrap();
    assert_eq!(&rest, b"defgh");
    tunnel.write_all(b"to the client").await.unwrap();
    tunnel.flush().await.unwrap();
    assert_eq!(next(&mut client).await, Some(Message::Pong(b"?"[..].into())));
    assert_eq!(next(&mut client).await, Some(Message::binary(&b"to the client"[..])));
}

#[tokio::test]
async fn an_ordinary_close_is_an_end_and_another_one_an_error() {
    for (code, is_end) in [(CloseCode::Normal, true), (CloseCode::Away, false)] {
        let (mut client, servers) = pair().await;
        let mut tunnel = Tunnel::accept(servers).await;
        send(&mut client, b"before").await;
        client.close(Some(CloseFrame { code, reason: "".into() })).await.unwrap();
        let mut all = Vec::new();
        assert_eq!(tunnel.read_to_end(&mut all).await.is_ok(), is_end, "{code}");
        assert_eq!(all, b"before");
    }
}

#[tokio::test]
async fn text_and_long_messages_are_errors() {
    for message in [Message::text("SPDY"), Message::binary(vec![0; (1 << 20) + 2])] {
        let (mut client, servers) = pair().await;
        let mut tunnel = Tunnel::accept(servers).await;
        let reads = tokio::spawn(async move { tunnel.read_to_end(&mut Vec::new()).await });
        let _ = client.send(message).await;
        reads.await.unwrap().unwrap_err();
    }
}

#[tokio::test]
async fn spdy_passes_through() {
    let (ours, servers) = pair().await;
    let (sender, requests) = mpsc::channel(1);
    let ending = CancellationToken::new();
    let server = tokio::spawn(serve_tunnel(servers, ending.clone(), sender));
    let io = Tunnel::over(ours);
    let mut client = client::Client::over(io, ending, requests, server);
    let (mut request, data) = client.request(1).await;
    client.data(data, b"GET /", true).await;
    let mut asked = Vec::new();
    request.stream.read_to_end(&mut asked).await.unwrap();
    assert_eq!(asked, b"GET /");
    request.stream.write_all(b"200 OK").await.unwrap();
    assert_eq!(client.next().await, Some(client::Seen::Data(data, b"200 OK".to_vec())));
    client.io.shutdown().await.unwrap();
    request.gone.cancelled().await;
    client.server.await.unwrap().unwrap();
}
