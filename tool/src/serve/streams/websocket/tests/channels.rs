//! Channels.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::{Duration, timeout};
use tokio_tungstenite::tungstenite::Message;
use tokio_util::sync::CancellationToken;

use super::super::super::error::StreamsError;
use super::super::super::request::PortRequest;
use super::super::{ChannelEncoding, MAX_PORTS, serve_channels};
use super::client::{Client, next, pair, send};

struct Connected {
    client: Client,
    requests: mpsc::Receiver<PortRequest>,
    ending: CancellationToken,
    server: JoinHandle<Result<(), StreamsError>>,
}

async fn connect(encoding: ChannelEncoding, ports: &'static [u16]) -> Connected {
    let (client, servers) = pair().await;
    let (sender, requests) = mpsc::channel(MAX_PORTS);
    let ending = CancellationToken::new();
    let serving = serve_channels(servers, encoding, ports, ending.clone(), sender);
    Connected { client, requests, ending, server: tokio::spawn(serving) }
}

#[tokio::test]
async fn each_port_has_two_channels() {
    let Connected { mut client, mut requests, server, .. } =
        connect(ChannelEncoding::Binary, &[80, 0x1234]).await;
    for begin in [[0, 80, 0], [1, 80, 0], [2, 0x34, 0x12], [3, 0x34, 0x12]] {
        assert_eq!(next(&mut client).await, Some(Message::binary(begin.to_vec())));
    }
    let mut first = requests.recv().await.unwrap();
    let mut second = requests.recv().await.unwrap();
    assert_eq!((first.port, second.port), (80, 0x1234));
    for ignored in [&b""[..], b"\x01to the errors", b"\x04to no channel", b"\x02", b"\x02GET /"] {
        send(&mut client, ignored).await;
    }
    let mut asked = [0; 5];
    second.stream.read_exact(&mut asked).await.unwrap();
    assert_eq!(&asked, b"GET /");
    second.stream.write_all(b"200 OK").await.unwrap();
    assert_eq!(next(&mut client).await, Some(Message::binary(&b"\x02200 OK"[..])));
    drop(second.stream);
    second.answer.finish();
    let nothing = timeout(Duration::from_millis(50), next(&mut client)).await;
    assert!(nothing.is_err(), "the other port is open");
    first.stream.write_all(b"last").await.unwrap();
    drop(first.stream);
    first.answer.fail("broken".to_owned());
    assert_eq!(next(&mut client).await, Some(Message::binary(&b"\x00last"[..])));
    assert_eq!(next(&mut client).await, Some(Message::binary(&b"\x01broken"[..])));
    assert!(matches!(next(&mut client).await, Some(Message::Close(Some(_)))));
    assert_eq!(next(&mut client).await, None);
    server.await.unwrap().unwrap();
}

/// The Python client sends as much at once.
#[tokio::test]
async fn a_message_has_up_to_1_mib_of_data() {
    let Connected { mut client, mut requests, .. } = connect(ChannelEncoding::Binary, &[80]).await;
    let mut request = requests.recv().await.unwrap();
    send(&mut client, &[&[0], &vec![1; 1 << 20][..]].concat()).await;
    let mut received = vec![0; 1 << 20];
    request.stream.read_exact(&mut received).await.unwrap();
    assert!(received.iter().all(|byte| *byte == 1));
}

/// As with containerd: the client cannot learn that it has everything, so it would wait for ever.
#[tokio::test(start_paused = true)]
async fn a_second_after_the_pod_has_sent_everything_the_client_has_too() {
    let Connected { mut client, mut requests, server, .. } =
        connect(ChannelEncoding::Binary, &[80]).await;
    let mut request = requests.recv().await.unwrap();
    send(&mut client, b"\x00GET /").await;
    request.stream.write_all(b"200 OK").await.unwrap();
    request.stream.shutdown().await.unwrap();
    let mut asked = Vec::new();
    request.stream.read_to_end(&mut asked).await.unwrap();
    assert_eq!(asked, b"GET /");
    assert!(!request.gone.is_cancelled());
    drop(request.stream);
    request.answer.finish();
    for _ in 0..2 {
        next(&mut client).await.unwrap();
    }
    assert_eq!(next(&mut client).await, Some(Message::binary(&b"\x00200 OK"[..])));
    assert!(matches!(next(&mut client).await, Some(Message::Close(Some(_)))));
    assert_eq!(next(&mut client).await, None);
    server.await.unwrap().unwrap();
}

#[tokio::test]
async fn text_is_base64() {
    let Connected { mut client, mut requests, .. } = connect(ChannelEncoding::Base64, &[80]).await;
    assert_eq!(next(&mut client).await, Some(Message::text("0UAA=")));
    assert_eq!(next(&mut client).await, Some(Message::text("1UAA=")));
    let mut request = requests.recv().await.unwrap();
    send(&mut client, b"0no base64").await;
    send(&mut client, b"0R0VUIC8=").await;
    let mut asked = [0; 5];
    request.stream.read_exact(&mut asked).await.unwrap();
    assert_eq!(&asked, b"GET /");
}

#[tokio::test]
async fn a_close_ends_everything() {
    let Connected { mut client, mut requests, server, .. } =
        connect(ChannelEncoding::Binary, &[80]).await;
    let request = requests.recv().await.unwrap();
    client.close(None).await.unwrap();
    request.gone.cancelled().await;
    server.await.unwrap().unwrap();
}

#[tokio::test]
async fn the_server_ends_everything() {
    let Connected { mut client, mut requests, ending, server } =
        connect(ChannelEncoding::Binary, &[80]).await;
    let request = requests.recv().await.unwrap();
    ending.cancel();
    request.gone.cancelled().await;
    for _ in 0..2 {
        next(&mut client).await.unwrap();
    }
    assert!(matches!(next(&mut client).await, Some(Message::Close(Some(_)))));
    server.await.unwrap().unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_port_that_is_not_read_is_given_up_for_the_others() {
    let Connected { mut client, mut requests, .. } =
        connect(ChannelEncoding::Binary, &[80, 81]).await;
    let stalled = requests.recv().await.unwrap();
    let mut other = requests.recv().await.unwrap();
    for _ in 0..60 {
        send(&mut client, &vec![0; 32 * 1024]).await;
    }
    send(&mut client, b"\x02behind it").await;
    let mut sent = [0; 9];
    other.stream.read_exact(&mut sent).await.unwrap();
    assert!(stalled.gone.is_cancelled() && !other.gone.is_cancelled());
}

#[tokio::test]
async fn the_number_of_ports_is_limited() {
    for ports in [0, MAX_PORTS + 1] {
        let (_client, servers) = pair().await;
        let (sender, _requests) = mpsc::channel(1);
        let ports = vec![80; ports];
        let ending = CancellationToken::new();
        let ended = serve_channels(servers, ChannelEncoding::Binary, &ports, ending, sender).await;
        assert!(matches!(ended, Err(StreamsError::Ports(_))));
    }
}
