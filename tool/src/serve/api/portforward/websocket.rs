//! The opening handshake of a WebSocket (RFC 6455, 4.2).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hyper::HeaderMap;
use hyper::header::{
    CONNECTION, HeaderValue, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_PROTOCOL,
    SEC_WEBSOCKET_VERSION, UPGRADE,
};
use hyper::{Response, StatusCode};
use ring::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};

use super::ports::ports;
use crate::serve::api::answer::Body;
use crate::serve::api::status::Status;
use crate::serve::upgraded::StreamProtocol;

/// What is appended to a client's key (RFC 6455, 1.3).
const GUID: &str = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// The version of the protocol.
const VERSION: &str = "13";

/// A key is 16 bytes in base64.
const KEY_LENGTH: usize = 24;

/// The subprotocols of port-forwards.
const TUNNEL: &str = "SPDY/3.1+portforward.k8s.io";
const CHANNELS: &str = "v4.channel.k8s.io";
const BASE64_CHANNELS: &str = "v4.base64.channel.k8s.io";

/// What the client speaks, and the answer that accepts it.
pub(super) fn open(
    headers: &HeaderMap,
    query: &str,
) -> Result<(StreamProtocol, Response<Body>), Status> {
    let header = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
    if header(SEC_WEBSOCKET_VERSION) != Some(VERSION) {
        return Err(Status::bad_request("websocket: Sec-WebSocket-Version is not 13"));
    }
    let key = header(SEC_WEBSOCKET_KEY).filter(|key| key.len() == KEY_LENGTH);
    let key = key.ok_or_else(|| Status::bad_request("websocket: no valid Sec-WebSocket-Key"))?;
    let accept = HeaderValue::from_str(&accept(key))
        .map_err(|_| Status::internal("websocket: no answer to the key"))?;
    let (name, protocol) = protocol(headers, query)?;
    let mut response = Response::new(Body::default());
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let headers = response.headers_mut();
    headers.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
    headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
    headers.insert(SEC_WEBSOCKET_ACCEPT, accept);
    if let Some(name) = name {
        headers.insert(SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(name));
    }
    Ok((protocol, response))
}

/// The first of the client's subprotocols that is known. Without any, a client means channels with bytes,
/// as for the kubelet.
fn protocol(
    headers: &HeaderMap,
    query: &str,
) -> Result<(Option<&'static str>, StreamProtocol), Status> {
    let channels =
        |is_base64| ports(query).map(|ports| StreamProtocol::Channels { is_base64, ports });
    let values = headers.get_all(SEC_WEBSOCKET_PROTOCOL).iter();
    let offered = values.filter_map(|value| value.to_str().ok());
    let mut offered = offered.flat_map(|value| value.split(',')).map(str::trim).peekable();
    if offered.peek().is_none() {
        return Ok((None, channels(false)?));
    }
    for name in offered {
        match name {
            TUNNEL => return Ok((Some(TUNNEL), StreamProtocol::SpdyOverWebSocket)),
            CHANNELS => return Ok((Some(CHANNELS), channels(false)?)),
            BASE64_CHANNELS => return Ok((Some(BASE64_CHANNELS), channels(true)?)),
            _ => {}
        }
    }
    Err(Status::bad_request(format!(
        "websocket: no known subprotocol; known are {TUNNEL}, {CHANNELS} and {BASE64_CHANNELS}"
    )))
}

/// `Sec-WebSocket-Accept` for a key. SHA-1 proves only that the answer is to this request.
fn accept(key: &str) -> String {
    let sum = digest(&SHA1_FOR_LEGACY_USE_ONLY, format!("{key}{GUID}").as_bytes());
    STANDARD.encode(sum.as_ref())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open_with(protocols: Option<&str>, query: &str) -> Result<StreamProtocol, Status> {
        let mut headers = HeaderMap::new();
        headers.insert(SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"));
        headers.insert(SEC_WEBSOCKET_KEY, HeaderValue::from_static("dGhlIHNhbXBsZSBub25jZQ=="));
        headers.extend(protocols.map(|all| (SEC_WEBSOCKET_PROTOCOL, all.parse().unwrap())));
        open(&headers, query).map(|(protocol, _)| protocol)
    }

    #[test]
    fn the_key_of_the_rfc_has_its_answer() {
        assert_eq!(accept("dGhlIHNhbXBsZSBub25jZQ=="), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    }

    #[test]
    fn the_first_known_subprotocol_counts() {
        let channels = |is_base64| StreamProtocol::Channels { is_base64, ports: vec![80] };
        for (protocols, expected) in [
            (Some(TUNNEL), StreamProtocol::SpdyOverWebSocket),
            (Some("v4.channel.k8s.io"), channels(false)),
            (Some("x, v4.base64.channel.k8s.io, v4.channel.k8s.io"), channels(true)),
            (None, channels(false)),
        ] {
            assert_eq!(open_with(protocols, "ports=80").unwrap(), expected, "{protocols:?}");
        }
        for (protocols, query) in [(Some("x"), "ports=80"), (Some(CHANNELS), ""), (None, "")] {
            assert_eq!(open_with(protocols, query).unwrap_err().code(), 400, "{protocols:?}");
        }
        assert!(open_with(Some(TUNNEL), "").is_ok(), "its ports are in the streams");
    }

    #[test]
    fn a_handshake_has_a_version_and_a_key() {
        let mut headers = HeaderMap::new();
        assert_eq!(open(&headers, "ports=80").unwrap_err().code(), 400);
        headers.insert(SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"));
        headers.insert(SEC_WEBSOCKET_KEY, HeaderValue::from_static("short"));
        assert_eq!(open(&headers, "ports=80").unwrap_err().code(), 400);
    }
}
