//! Clients without the token.

use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::running::{Running, short};
use crate::serve::EndpointLimits;

/// What comes until the other side closes or resets the connection.
async fn rest(mut stream: impl tokio::io::AsyncRead + Unpin) -> Vec<u8> {
    let mut all = Vec::new();
    let reading = tokio::time::timeout(Duration::from_secs(5), stream.read_to_end(&mut all));
    // A reset is an end too.
    let _ = reading.await.expect("the connection ends");
    all
}

#[tokio::test]
async fn without_the_token_only_healthz_is_answered() {
    let running = Running::start();
    let client = running.client();
    let paths = [
        "/",
        "/version",
        "/api",
        "/api/v1/pods",
        "/healthz/x",
        "/api/v1/namespaces/shop/pods/kuard/portforward",
    ];
    for authorization in ["", "Bearer wrong", "Basic eDp5"] {
        for path in paths {
            let mut request = client.request("GET", path);
            let headers = request.headers_mut();
            headers.insert("authorization", authorization.parse().unwrap());
            let (status, body) = client.send(request).await;
            assert_eq!(status, 401, "{authorization} {path}");
            assert!(body.contains("\"reason\":\"Unauthorized\""), "{body}");
        }
    }
    let mut request = client.request("GET", "/healthz");
    request.headers_mut().remove("authorization");
    assert_eq!(client.send(request).await, (200, "ok".to_owned()));
    running.end().await;
}

#[tokio::test]
async fn plain_http_is_answered_and_disturbs_nobody() {
    let running = Running::start();
    let mut stream = TcpStream::connect(running.address).await.unwrap();
    stream.write_all(b"GET /version HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    let answer = String::from_utf8(rest(stream).await).unwrap();
    assert!(answer.starts_with("HTTP/1.0 400 ") && answer.contains("HTTPS server"), "{answer}");
    let mut stream = TcpStream::connect(running.address).await.unwrap();
    stream.write_all(&[0; 100]).await.unwrap();
    assert_eq!(rest(stream).await, b"");
    assert_eq!(running.client().get("/version").await.0, 200);
    running.end().await;
}

#[tokio::test]
async fn a_connection_without_a_request_ends() {
    let running = Running::start_with(short(), &[]);
    let start = Instant::now();
    let silent_tcp = TcpStream::connect(running.address).await.unwrap();
    let silent_tls = running.client().connect().await;
    let mut slow = running.client().connect().await;
    slow.write_all(b"GET /version HTTP/1.1\r\nHost: x\r\nX-Slow: ").await.unwrap();
    assert_eq!(rest(silent_tcp).await, b"");
    assert_eq!(rest(silent_tls).await, b"");
    assert_eq!(rest(slow).await, b"");
    assert!(start.elapsed() < Duration::from_secs(2), "{:?}", start.elapsed());
    assert_eq!(running.client().get("/version").await.0, 200);
    running.end().await;
}

#[tokio::test]
async fn strangers_cannot_lock_out_a_client() {
    let limits = EndpointLimits { strangers: 4, ..EndpointLimits::default() };
    let running = Running::start_with(limits, &[]);
    let mut silent = Vec::new();
    for _ in 0..20 {
        silent.push(TcpStream::connect(running.address).await.unwrap());
        assert_eq!(running.client().get("/version").await.0, 200);
    }
    assert_eq!(rest(silent.remove(0)).await, b"", "the oldest had to make room");
    running.end().await;
}

#[tokio::test]
async fn a_huge_head_is_refused_early() {
    let running = Running::start();
    let mut stream = running.client().connect().await;
    let head = b"GET /version HTTP/1.1\r\nHost: x\r\n";
    stream.write_all(head).await.unwrap();
    let (mut sent, line) = (0, format!("X: {}\r\n", "x".repeat(1000)));
    // Of 100 MB, the endpoint takes little more than its limit and what is on the way.
    while sent < 100_000_000 && stream.write_all(line.as_bytes()).await.is_ok() {
        sent += line.len();
    }
    assert!(sent < 20_000_000, "{sent} bytes were sent");
    assert_eq!(running.client().get("/version").await.0, 200);
    running.end().await;
}

#[tokio::test]
async fn clients_have_a_limit() {
    let limits = EndpointLimits { clients: 1, ..EndpointLimits::default() };
    let running = Running::start_with(limits, &[]);
    let client = running.client();
    let (mut sender, connection) = client.http().await;
    let first = tokio::spawn(connection);
    let request = || client.request("GET", "/version");
    assert_eq!(sender.send_request(request()).await.unwrap().status(), 200);
    let (status, body) = client.send(request()).await;
    assert_eq!(status, 429, "{body}");
    assert_eq!(sender.send_request(request()).await.unwrap().status(), 200);
    drop(sender);
    first.await.unwrap().unwrap();
    running.end().await;
}
