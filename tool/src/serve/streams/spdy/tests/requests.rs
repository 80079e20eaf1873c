//! Ordinary requests.

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::super::encode;
use super::client::{Client, Seen};

#[tokio::test]
async fn one_request_both_ways() {
    let mut client = Client::new();
    let (mut request, data) = client.request(1).await;
    client.data(data, b"GET /", false).await;
    let mut asked = [0; 5];
    request.stream.read_exact(&mut asked).await.unwrap();
    assert_eq!(&asked, b"GET /");
    request.stream.write_all(b"200 OK").await.unwrap();
    assert_eq!(client.next().await, Some(Seen::Data(data, b"200 OK".to_vec())));
    drop(request.stream);
    request.answer.finish();
    assert_eq!(client.next().await, Some(Seen::Fin(data)));
    assert_eq!(client.next().await, Some(Seen::Fin(1)));
    assert!(!request.gone.is_cancelled());
    // The session goes on.
    let (_request, _) = client.request(5).await;
}

#[tokio::test]
async fn the_client_half_closes() {
    let mut client = Client::new();
    let (mut request, data) = client.request(1).await;
    client.data(data, b"all of it", true).await;
    let mut asked = Vec::new();
    request.stream.read_to_end(&mut asked).await.unwrap();
    assert_eq!(asked, b"all of it");
    request.stream.write_all(b"the answer").await.unwrap();
    assert_eq!(client.next().await, Some(Seen::Data(data, b"the answer".to_vec())));
    request.stream.shutdown().await.unwrap();
    request.answer.finish();
    assert_eq!(client.next().await, Some(Seen::Fin(data)));
    assert_eq!(client.next().await, Some(Seen::Fin(1)));
}

#[tokio::test]
async fn the_pod_half_closes() {
    let mut client = Client::new();
    let (mut request, data) = client.request(1).await;
    request.stream.shutdown().await.unwrap();
    assert_eq!(client.next().await, Some(Seen::Fin(data)), "at once, without an answer");
    client.data(data, b"still sending", true).await;
    let mut sent = Vec::new();
    request.stream.read_to_end(&mut sent).await.unwrap();
    assert_eq!(sent, b"still sending");
    request.answer.finish();
    assert_eq!(client.next().await, Some(Seen::Fin(1)));
}

#[tokio::test]
async fn bytes_survive_in_every_size() {
    const LENGTH: usize = 3 << 20;
    let bytes: Vec<u8> = (0..=250).cycle().take(LENGTH).collect();
    let mut client = Client::new();
    let (request, data) = client.request(1).await;
    let (mut from_client, mut to_client) = request.stream.into_split();
    let reads = tokio::spawn(async move {
        let mut all = Vec::new();
        from_client.read_to_end(&mut all).await.unwrap();
        all
    });
    let sent = bytes.clone();
    let writes = tokio::spawn(async move { to_client.write_all(&sent).await });
    for piece in bytes.chunks(70_001) {
        client.data(data, piece, false).await;
    }
    client.data(data, b"", true).await;
    let mut received = Vec::new();
    while received.len() < LENGTH {
        match client.next().await {
            Some(Seen::Data(stream, piece)) if stream == data => received.extend(piece),
            other => panic!("{other:?}"),
        }
    }
    assert!(received == bytes);
    assert!(reads.await.unwrap() == bytes);
    writes.await.unwrap().unwrap();
}

#[tokio::test]
async fn the_end_comes_behind_the_backlog() {
    let mut client = Client::new();
    let (mut request, data) = client.request(1).await;
    for _ in 0..20 {
        client.data(data, &[3; 10_000], false).await;
    }
    client.data(data, &vec![3; 400_000], true).await;
    // Once this is answered, everything has been read from the client.
    let mut frame = Vec::new();
    encode::ping(&mut frame, 1);
    client.send(&frame).await;
    assert_eq!(client.next().await, Some(Seen::Ping(1)));
    let mut sent = Vec::new();
    request.stream.read_to_end(&mut sent).await.unwrap();
    assert_eq!(sent.len(), 600_000);
}

#[tokio::test]
async fn two_requests_at_once() {
    let mut client = Client::new();
    let (mut one, first) = client.request(1).await;
    let (mut other, second) = client.request(5).await;
    other.stream.write_all(b"second").await.unwrap();
    assert_eq!(client.next().await, Some(Seen::Data(second, b"second".to_vec())));
    one.stream.write_all(b"first").await.unwrap();
    assert_eq!(client.next().await, Some(Seen::Data(first, b"first".to_vec())));
    client.data(second, b"2", true).await;
    client.data(first, b"1", true).await;
    let (mut to_one, mut to_other) = (Vec::new(), Vec::new());
    one.stream.read_to_end(&mut to_one).await.unwrap();
    other.stream.read_to_end(&mut to_other).await.unwrap();
    assert_eq!((&to_one[..], &to_other[..]), (&b"1"[..], &b"2"[..]));
}

#[tokio::test]
async fn pings_are_answered() {
    let mut client = Client::new();
    let mut frame = Vec::new();
    encode::ping(&mut frame, 7);
    encode::ping(&mut frame, 2);
    encode::ping(&mut frame, u32::MAX);
    client.send(&frame).await;
    assert_eq!(client.next().await, Some(Seen::Ping(7)));
    assert_eq!(client.next().await, Some(Seen::Ping(u32::MAX)), "an even number is an answer");
}

#[tokio::test]
async fn the_end_reaches_everybody() {
    let mut client = Client::new();
    let (request, _) = client.request(1).await;
    client.ending.cancel();
    assert_eq!(client.next().await, Some(Seen::GoAway(3, 0)));
    let (last, ended) = client.ended().await;
    assert_eq!(last, None);
    ended.unwrap();
    assert!(request.gone.is_cancelled());
}

#[tokio::test]
async fn a_client_that_vanishes_is_gone() {
    let mut client = Client::new();
    let (request, _) = client.request(1).await;
    drop(client.io);
    request.gone.cancelled().await;
    client.server.await.unwrap().unwrap();
}
