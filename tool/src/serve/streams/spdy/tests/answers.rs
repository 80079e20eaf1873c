//! How connections end.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio::time::{Duration, Instant, timeout};

use super::client::{Client, Seen};

const CANCEL: u32 = 5;

#[tokio::test]
async fn a_text_goes_to_the_error_stream() {
    let mut client = Client::new();
    let (request, data) = client.request(1).await;
    drop(request.stream);
    request.answer.fail("error forwarding port 80".to_owned());
    assert_eq!(client.next().await, Some(Seen::Data(1, b"error forwarding port 80".to_vec())));
    assert_eq!(client.next().await, Some(Seen::Reset(data, CANCEL)));
    assert_eq!(client.next().await, Some(Seen::Fin(1)));
}

#[tokio::test]
async fn a_reset_comes_behind_the_data() {
    let mut client = Client::new();
    let (mut request, data) = client.request(1).await;
    request.stream.write_all(b"so far").await.unwrap();
    drop(request.stream);
    // The socket closes before the answer comes: no clean end in between.
    assert_eq!(client.next().await, Some(Seen::Data(data, b"so far".to_vec())));
    tokio::time::sleep(Duration::from_millis(50)).await;
    drop(request.answer);
    assert_eq!(client.next().await, Some(Seen::Reset(data, CANCEL)));
    assert_eq!(client.next().await, Some(Seen::Fin(1)));
    let (_next, _) = client.request(5).await;
}

#[tokio::test]
async fn everything_is_delivered_before_the_end() {
    let mut client = Client::new();
    let (mut request, data) = client.request(1).await;
    request.stream.write_all(&vec![7; 150_000]).await.unwrap();
    drop(request.stream);
    request.answer.finish();
    let mut received = 0;
    loop {
        match client.next().await {
            Some(Seen::Data(stream, piece)) if stream == data => received += piece.len(),
            Some(Seen::Fin(stream)) if stream == data => break,
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(received, 150_000);
    assert_eq!(client.next().await, Some(Seen::Fin(1)));
}

#[tokio::test]
async fn a_client_that_resets_is_gone() {
    let mut client = Client::new();
    let (mut request, data) = client.request(1).await;
    client.reset(data).await;
    request.gone.cancelled().await;
    assert_eq!(client.next().await, Some(Seen::Fin(1)), "kubectl waits for it");
    let read = request.stream.read_u8();
    let is_open = timeout(Duration::from_millis(50), read).await.is_err();
    assert!(is_open, "a reset is no half-close");
    request.answer.fail("a text would end kubectl".to_owned());
    let (_next, _) = client.request(5).await;
}

#[tokio::test]
async fn kubectl_resets_after_every_ordinary_connection() {
    let mut client = Client::new();
    let (mut request, data) = client.request(1).await;
    request.stream.shutdown().await.unwrap();
    assert_eq!(client.next().await, Some(Seen::Fin(data)));
    client.reset(data).await;
    assert_eq!(request.stream.read_to_end(&mut Vec::new()).await.unwrap(), 0);
    assert!(!request.gone.is_cancelled());
    request.answer.finish();
    assert_eq!(client.next().await, Some(Seen::Fin(1)));
}

#[tokio::test(start_paused = true)]
async fn without_an_answer_both_streams_end_after_the_data() {
    for half_closes in [true, false] {
        let mut client = Client::new();
        let (mut request, data) = client.request(1).await;
        let start = Instant::now();
        if half_closes {
            request.stream.shutdown().await.unwrap();
        } else {
            request.stream = UnixStream::pair().unwrap().0;
        }
        assert_eq!(client.next().await, Some(Seen::Fin(data)));
        assert_eq!(client.next().await, Some(Seen::Fin(1)), "kubectl 1.20 waits for it");
        assert_eq!(start.elapsed().as_secs(), 1);
        request.answer.fail("too late".to_owned());
        assert_eq!(client.next().await, Some(Seen::Reset(data, CANCEL)));
        let (_next, _) = client.request(5).await;
    }
}
