//! Clients that break the rules.

use tokio::io::AsyncWriteExt;

use super::super::super::error::StreamsError;
use super::super::error::SpdyError;
use super::super::frame::{Head, kind};
use super::super::limits::MAX_STREAMS;
use super::client::{Client, Seen, headers};

const REFUSED_STREAM: u32 = 3;

/// The session ends with this error, and the client is told.
async fn ends_with(client: Client, error: SpdyError) {
    let (last, ended) = client.ended().await;
    assert!(matches!(last, Some(Seen::GoAway(_, 1))), "{last:?}");
    match ended {
        Err(StreamsError::Spdy(other)) => assert_eq!(other, error),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_hundred_thousand_streams() {
    const STREAMS: u32 = 100_000;
    let mut client = Client::new();
    let (mut replies, mut refused) = (0_usize, 0_usize);
    for batch in 0..STREAMS / 100 {
        for number in 0..100 {
            let stream = (batch * 100 + number) * 2 + 1;
            client.open(stream, "error", &stream.to_string()).await;
        }
        for _ in 0..100 {
            match client.next().await {
                Some(Seen::Reply(_)) => replies += 1,
                Some(Seen::Reset(_, REFUSED_STREAM)) => refused += 1,
                other => panic!("{other:?}"),
            }
        }
    }
    assert_eq!((replies, replies + refused), (MAX_STREAMS, 100_000));
}

#[tokio::test]
async fn streams_in_a_row_are_no_limit() {
    let mut client = Client::new();
    for number in 0..1000 {
        let (request, data) = client.request(number * 4 + 1).await;
        drop(request.stream);
        request.answer.finish();
        assert_eq!(client.next().await, Some(Seen::Fin(data)));
        assert_eq!(client.next().await, Some(Seen::Fin(data - 2)));
    }
}

#[tokio::test]
async fn a_zlib_bomb() {
    let mut client = Client::new();
    let bomb = client.deflate(&vec![0; 8 << 20]);
    client.open_with(1, &bomb).await;
    ends_with(client, SpdyError::Inflated).await;
}

#[tokio::test]
async fn a_huge_header_block() {
    let mut client = Client::new();
    let length = 10 + 100_000;
    let head = Head::Control { kind: kind::SYN_STREAM, flags: 0, length }.encode();
    client.send(&head).await;
    ends_with(client, SpdyError::HeaderBlock(100_000)).await;
}

#[tokio::test]
async fn too_many_headers() {
    let mut client = Client::new();
    let mut block = headers("data", "80", "x");
    block[2] = 1;
    let deflated = client.deflate(&block);
    client.open_with(1, &deflated).await;
    ends_with(client, SpdyError::Headers(259)).await;
}

#[tokio::test]
async fn garbage_after_the_upgrade() {
    let mut client = Client::new();
    client.send(&[0xff; 100]).await;
    ends_with(client, SpdyError::Version(0x7fff)).await;
}

#[tokio::test]
async fn a_number_twice() {
    let mut client = Client::new();
    client.open(1, "error", "x").await;
    assert_eq!(client.next().await, Some(Seen::Reply(1)));
    client.open(1, "data", "x").await;
    ends_with(client, SpdyError::StreamId(1)).await;
}

#[tokio::test]
async fn an_even_number() {
    let mut client = Client::new();
    client.open(2, "error", "x").await;
    ends_with(client, SpdyError::StreamId(2)).await;
}

#[tokio::test]
async fn frames_without_a_meaning_are_skipped() {
    let mut client = Client::new();
    let settings = Head::Control { kind: 4, flags: 0, length: 1 << 20 }.encode();
    client.send(&settings).await;
    client.send(&vec![0; 1 << 20]).await;
    client.data(99, &[1; 1000], false).await;
    client.data(99, b"", true).await;
    client.reset(99).await;
    // Headers without a meaning are a part of the zlib stream all the same.
    let block = client.deflate(&headers("data", "80", "x"));
    let length = u32::try_from(4 + block.len()).unwrap();
    let head = Head::Control { kind: kind::HEADERS, flags: 0, length }.encode();
    client.send(&[&head[..], &[0; 4], &block].concat()).await;
    let (_request, _) = client.request(1).await;
}

#[tokio::test]
async fn nobody_takes_requests() {
    let mut client = Client::new();
    client.requests.close();
    client.open(1, "error", "x").await;
    client.open(3, "data", "x").await;
    client.io.flush().await.unwrap();
    assert!(matches!(client.server.await.unwrap(), Err(StreamsError::NotServing)));
}
