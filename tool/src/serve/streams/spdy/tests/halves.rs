//! Streams that belong together, or not.

use tokio::io::AsyncReadExt;
use tokio::time::{Duration, Instant};

use super::client::{Client, Seen, headers};

const PROTOCOL_ERROR: u32 = 1;

#[tokio::test(start_paused = true)]
async fn half_a_request_times_out() {
    let mut client = Client::new();
    let start = Instant::now();
    client.open(1, "error", "one").await;
    assert_eq!(client.next().await, Some(Seen::Reply(1)));
    client.open(3, "data", "other").await;
    assert_eq!(client.next().await, Some(Seen::Reply(3)));
    let text = b"(conn=spdy, request=one) timed out waiting for streams".to_vec();
    let mut seen = Vec::new();
    for _ in 0..3 {
        seen.push(client.next().await.unwrap());
    }
    let reset = seen.iter().position(|seen| *seen == Seen::Reset(3, 5)).unwrap();
    seen.remove(reset);
    assert_eq!(seen, [Seen::Data(1, text), Seen::Fin(1)]);
    assert!(start.elapsed() >= Duration::from_secs(30));
    // Both numbers are free again.
    client.open(1, "error", "one").await;
    assert_eq!(client.next().await, Some(Seen::Reply(1)));
}

#[tokio::test]
async fn streams_without_request_ids_are_neighbours() {
    let mut client = Client::new();
    client.open(5, "error", "").await;
    client.open(7, "data", "").await;
    let request = client.requests.recv().await.unwrap();
    assert_eq!(request.port, 80);
}

#[tokio::test]
async fn the_data_stream_may_come_first() {
    let mut client = Client::new();
    client.open(1, "data", "x").await;
    client.data(1, b"early", true).await;
    client.open(3, "error", "x").await;
    let mut request = client.requests.recv().await.unwrap();
    let mut sent = Vec::new();
    request.stream.read_to_end(&mut sent).await.unwrap();
    assert_eq!(sent, b"early");
}

#[tokio::test]
async fn a_stream_that_is_no_part_of_a_request_is_reset() {
    let mut client = Client::new();
    let wrong = [("data", "0"), ("data", "65536"), ("data", "http"), ("dat", "80"), ("", "")];
    for (number, (kind, port)) in (1..).step_by(2).zip(wrong) {
        let deflated = client.deflate(&headers(kind, port, "x"));
        client.open_with(number, &deflated).await;
        assert_eq!(client.next().await, Some(Seen::Reset(number, PROTOCOL_ERROR)), "{kind} {port}");
    }
    let long = "x".repeat(65);
    client.open(21, "data", &long).await;
    assert_eq!(client.next().await, Some(Seen::Reset(21, PROTOCOL_ERROR)));
    client.open(23, "data", "x").await;
    assert_eq!(client.next().await, Some(Seen::Reply(23)));
    client.open(25, "data", "x").await;
    assert_eq!(client.next().await, Some(Seen::Reset(25, PROTOCOL_ERROR)), "the second one");
    // All their headers went through the zlib stream, so that it is in step.
    client.open(27, "error", "x").await;
    assert_eq!(client.next().await, Some(Seen::Reply(27)));
    assert!(client.requests.recv().await.is_some());
}

#[tokio::test]
async fn data_that_nobody_will_read_is_not_kept() {
    let mut client = Client::new();
    client.open(1, "data", "x").await;
    assert_eq!(client.next().await, Some(Seen::Reply(1)));
    for _ in 0..200 {
        client.data(1, &[0; 10_000], false).await;
    }
    assert_eq!(client.next().await, Some(Seen::Reset(1, 5)));
    let (_request, _) = client.request(5).await;
}
