//! Connections that become port-forwards.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::running::{Running, short};
use crate::serve::StreamProtocol;

const PATH: &str = "/api/v1/namespaces/docker/pods/web/portforward?ports=80";

#[tokio::test]
async fn the_handler_gets_the_connection_and_who_it_is() {
    let mut running = Running::start();
    let client = running.client();
    let mut request = client.request("POST", PATH);
    for (name, value) in [
        ("connection", "Upgrade"),
        ("upgrade", "SPDY/3.1"),
        ("x-stream-protocol-version", "portforward.k8s.io"),
        ("user-agent", "kubectl/v1.32.3"),
    ] {
        request.headers_mut().insert(name, value.parse().unwrap());
    }
    let mut near = client.upgrade(request).await;
    let mut far = running.upgraded.recv().await.unwrap();
    assert_eq!(far.protocol, StreamProtocol::Spdy);
    assert_eq!((far.pod.namespace.as_str(), far.pod.name.as_str()), ("docker", "web"));
    assert_eq!(far.entry.info.id, "c".repeat(64));
    assert_eq!(far.user_agent, "kubectl/v1.32.3");
    assert!(far.address.ip().is_loopback());
    near.write_all(b"ping").await.unwrap();
    let mut bytes = [0; 4];
    far.io.read_exact(&mut bytes).await.unwrap();
    far.io.write_all(&bytes).await.unwrap();
    near.read_exact(&mut bytes).await.unwrap();
    assert_eq!(&bytes, b"ping");
    drop((near, far));
    running.end().await;
}

#[tokio::test]
async fn a_websocket_keeps_its_ports() {
    let mut running = Running::start();
    let client = running.client();
    let mut request = client.request("GET", PATH);
    for (name, value) in [
        ("connection", "keep-alive, Upgrade"),
        ("upgrade", "websocket"),
        ("sec-websocket-version", "13"),
        ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
        ("sec-websocket-protocol", "v4.channel.k8s.io"),
    ] {
        request.headers_mut().insert(name, value.parse().unwrap());
    }
    let near = client.upgrade(request).await;
    let far = running.upgraded.recv().await.unwrap();
    assert_eq!(far.protocol, StreamProtocol::Channels { is_base64: false, ports: vec![80] });
    drop((near, far));
    running.end().await;
}

#[tokio::test]
async fn a_forward_outlives_the_limit_for_strangers_and_ends_with_the_endpoint() {
    let limits = short();
    let mut running = Running::start_with(limits, &[]);
    let client = running.client();
    let mut request = client.request("POST", PATH);
    for (name, value) in [
        ("connection", "Upgrade"),
        ("upgrade", "SPDY/3.1"),
        ("x-stream-protocol-version", "portforward.k8s.io"),
    ] {
        request.headers_mut().insert(name, value.parse().unwrap());
    }
    let mut near = client.upgrade(request).await;
    let mut far = running.upgraded.recv().await.unwrap();
    tokio::time::sleep(limits.stranger_time * 2).await;
    near.write_all(b"x").await.unwrap();
    assert_eq!(far.io.read_u8().await.unwrap(), b'x');
    let ending = far.ending.clone();
    running.end().await;
    assert!(ending.is_cancelled());
}
