//! Streams that are not read.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::{Duration, Instant, sleep, timeout};

use super::client::{Client, Seen};

/// More than the backlog of a stream and its sockets take, in frames.
const TOO_MANY: usize = 60;
static FRAME: [u8; 32 * 1024] = [1; 32 * 1024];

#[tokio::test(start_paused = true)]
async fn a_stream_that_is_not_read_is_reset_for_the_others() {
    let mut client = Client::new();
    let (stalled, first) = client.request(1).await;
    let (mut other, second) = client.request(5).await;
    let start = Instant::now();
    for _ in 0..TOO_MANY {
        client.data(first, &FRAME, false).await;
    }
    client.data(second, b"behind it", false).await;
    let mut sent = [0; 9];
    other.stream.read_exact(&mut sent).await.unwrap();
    assert_eq!(&sent, b"behind it");
    let took = start.elapsed();
    assert!(took >= Duration::from_secs(9) && took < Duration::from_secs(11), "{took:?}");
    assert!(stalled.gone.is_cancelled() && !other.gone.is_cancelled());
    assert_eq!(client.next().await, Some(Seen::Reset(first, 5)));
    assert_eq!(client.next().await, Some(Seen::Fin(1)));
}

#[tokio::test(start_paused = true)]
async fn a_slow_stream_is_not_reset() {
    let mut client = Client::new();
    let (mut slow, first) = client.request(1).await;
    let (_other, _) = client.request(5).await;
    let reads = tokio::spawn(async move {
        let mut all = 0;
        let mut piece = vec![0; 200_000];
        while all < TOO_MANY * FRAME.len() {
            sleep(Duration::from_secs(8)).await;
            all += slow.stream.read(&mut piece).await.unwrap();
        }
        assert!(!slow.gone.is_cancelled());
    });
    for _ in 0..TOO_MANY {
        client.data(first, &FRAME, false).await;
    }
    reads.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn the_only_stream_is_waited_for() {
    let mut client = Client::new();
    let (mut request, data) = client.request(1).await;
    let sends = async {
        for _ in 0..TOO_MANY {
            client.data(data, &FRAME, false).await;
        }
    };
    assert!(timeout(Duration::from_secs(100), sends).await.is_err(), "the client is held up");
    assert!(!request.gone.is_cancelled());
    // Pings go out meanwhile, which fail if the client is gone.
    assert_eq!(client.next().await, Some(Seen::Ping(2)));
    drop(client.io);
    let mut piece = vec![0; 1 << 20];
    while timeout(Duration::from_secs(1), request.gone.cancelled()).await.is_err() {
        let _ = timeout(Duration::from_secs(1), request.stream.read(&mut piece)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_client_that_does_not_read_holds_up_the_pod() {
    let mut client = Client::new();
    let (mut request, data) = client.request(1).await;
    let mut sent = 0;
    while let Ok(written) = timeout(Duration::from_secs(5), request.stream.write(&FRAME)).await {
        sent += written.unwrap();
    }
    assert!(sent < 2 << 20, "{sent}");
    let mut received = 0;
    while received < sent {
        match client.next().await {
            Some(Seen::Data(stream, piece)) if stream == data => received += piece.len(),
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn streams_take_turns() {
    let mut client = Client::new();
    let (one, first) = client.request(1).await;
    let (other, second) = client.request(5).await;
    for mut stream in [one.stream, other.stream] {
        tokio::spawn(async move { while stream.write_all(&FRAME).await.is_ok() {} });
    }
    let (mut to_first, mut to_second) = (0_usize, 0_usize);
    while to_first + to_second < 8 << 20 {
        match client.next().await {
            Some(Seen::Data(stream, piece)) if stream == first => to_first += piece.len(),
            Some(Seen::Data(stream, piece)) if stream == second => to_second += piece.len(),
            other => panic!("{other:?}"),
        }
    }
    assert!(to_first.abs_diff(to_second) < 2 << 20, "{to_first} {to_second}");
    drop((one.answer, other.answer));
}
