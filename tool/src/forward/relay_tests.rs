//! The relay between a client's stream and a socket.

use std::io::ErrorKind;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream, UnixStream};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::budget::Budget;
use super::helper_side::HelperSide;
use super::relay;
use super::relay_end::{RelayEnd, RelayError};
use super::relayed::Relayed;
use super::stream::Duplex;
use super::stream_pair::stream_pair;

/// What a relay may take in a test.
const LIMIT: Duration = Duration::from_secs(5);

/// A client with a stream, a server with a socket, and the relay between them.
struct Relay {
    client: UnixStream,
    gone: CancellationToken,
    server: TcpStream,
    running: JoinHandle<Result<RelayEnd, RelayError>>,
}

impl Relay {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let target = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (server, _) = listener.accept().await.unwrap();
        let (client, stream) = stream_pair().unwrap();
        let gone = CancellationToken::new();
        let is_gone = gone.clone();
        let running = tokio::spawn(async move {
            let Duplex { from, to } = Duplex::of_target(target).unwrap();
            let (budget, relayed) = (Budget::new(1_000_000, 1), Relayed::default());
            let (client, mut to) = (Duplex::of_stream(stream).unwrap(), Some(to));
            let (gone, helper) = (Some(&is_gone), HelperSide { helper: None, kernel: None });
            relay::run(client, gone, from, &mut to, helper, &budget, &relayed).await
        });
        Self { client, gone, server, running }
    }

    async fn ended(self) -> Result<RelayEnd, RelayError> {
        timeout(LIMIT, self.running).await.expect("it ends").unwrap()
    }
}

/// Everything that comes until the end, or the error in its place.
async fn rest(from: &mut (impl AsyncRead + Unpin)) -> Result<Vec<u8>, ErrorKind> {
    let mut bytes = Vec::new();
    let read = timeout(LIMIT, from.read_to_end(&mut bytes)).await.expect("it ends");
    read.map(|_| bytes).map_err(|error| error.kind())
}

#[tokio::test]
async fn each_direction_ends_by_itself() {
    let mut relay = Relay::start().await;
    relay.client.write_all(b"question").await.unwrap();
    relay.client.shutdown().await.unwrap();
    assert_eq!(rest(&mut relay.server).await.unwrap(), b"question");
    relay.server.write_all(b"answer").await.unwrap();
    relay.server.shutdown().await.unwrap();
    assert_eq!(rest(&mut relay.client).await.unwrap(), b"answer");
    assert_eq!(relay.ended().await.unwrap(), RelayEnd::Ended);
}

/// More than all buffers hold, in both directions at once.
#[tokio::test]
async fn everything_arrives() {
    let Relay { client, server, running, .. } = Relay::start().await;
    let data: Vec<u8> = (0..16_000_000_u32).map(|n| n.to_le_bytes()[n as usize % 3]).collect();
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    let (one, other) = (data.clone(), data.clone());
    tokio::spawn(async move { to_client.write_all(&one).await });
    tokio::spawn(async move { to_server.write_all(&other).await });
    let (at_client, at_server) = tokio::join!(rest(&mut from_client), rest(&mut from_server));
    assert!(at_client.unwrap() == data && at_server.unwrap() == data);
    assert_eq!(running.await.unwrap().unwrap(), RelayEnd::Ended);
}

#[tokio::test]
async fn a_reset_of_the_stream_resets_the_target() {
    // Whoever reads the reset may close the stream at once, or keep it until the answer.
    for is_closed in [true, false] {
        let Relay { client, gone, mut server, running } = Relay::start().await;
        gone.cancel();
        let kept = (!is_closed).then_some(client);
        assert_eq!(rest(&mut server).await, Err(ErrorKind::ConnectionReset), "{is_closed}");
        let ended = timeout(LIMIT, running).await.expect("it ends").unwrap();
        assert!(matches!(ended, Err(RelayError::Client(_))), "{ended:?}");
        drop(kept);
    }
}

/// As kubectl does after each connection.
#[tokio::test]
async fn a_reset_after_the_targets_end_is_the_clients_end() {
    for is_closed in [true, false] {
        let Relay { mut client, gone, mut server, running } = Relay::start().await;
        server.write_all(b"answer").await.unwrap();
        server.shutdown().await.unwrap();
        assert_eq!(rest(&mut client).await.unwrap(), b"answer");
        gone.cancel();
        let kept = (!is_closed).then_some(client);
        let ended = timeout(LIMIT, running).await.expect("it ends").unwrap();
        assert_eq!(ended.unwrap(), RelayEnd::Ended, "{is_closed}");
        assert_eq!(rest(&mut server).await.unwrap(), b"", "no reset");
        drop(kept);
    }
}

#[tokio::test]
async fn a_reset_by_the_target_ends_the_relay_and_leaves_the_stream_to_the_caller() {
    let Relay { mut client, server, running, .. } = Relay::start().await;
    rustix::net::sockopt::set_socket_linger(&server, Some(Duration::ZERO)).unwrap();
    drop(server);
    let ended = timeout(LIMIT, running).await.expect("it ends").unwrap();
    assert!(matches!(ended, Err(RelayError::Target(_))), "{ended:?}");
    assert_eq!(rest(&mut client).await.unwrap(), b"");
}
