//! The upgrade of a request for a port-forward: SPDY or a WebSocket.

use hyper::header::{CONNECTION, HeaderName, HeaderValue, UPGRADE};
use hyper::http::request::Parts;
use hyper::{HeaderMap, Method, Response, StatusCode};

use super::websocket;
use crate::serve::api::answer::Body;
use crate::serve::api::status::Status;
use crate::serve::upgraded::StreamProtocol;

/// In which a client of SPDY names what it speaks inside, and the server what it took.
const PROTOCOL: HeaderName = HeaderName::from_static("x-stream-protocol-version");

/// In which a server names what it accepts.
const ACCEPTED: HeaderName = HeaderName::from_static("x-accepted-stream-protocol-versions");

/// The protocol inside SPDY.
const PORTFORWARD: &str = "portforward.k8s.io";

/// What the client will speak, and the answer that says so.
pub(in crate::serve::api) struct Accepted {
    pub(in crate::serve::api) protocol: StreamProtocol,
    /// 101 Switching Protocols.
    pub(in crate::serve::api) response: Response<Body>,
}

/// Accepts the upgrade, or answers why not. The words are those of the kubelet
/// (k8s.io/apimachinery/pkg/util/httpstream).
pub(in crate::serve::api) fn negotiate(head: &Parts) -> Result<Accepted, Box<Response<Body>>> {
    let refused = |status: Status| Box::new(Response::from(status));
    if !matches!(head.method, Method::GET | Method::POST) {
        return Err(refused(Status::no_method()));
    }
    if !has_word(&head.headers, &CONNECTION, "upgrade") {
        return Err(refused(no_upgrade()));
    }
    if has_word(&head.headers, &UPGRADE, "websocket") && head.method == Method::GET {
        let query = head.uri.query().unwrap_or_default();
        let (protocol, response) = websocket::open(&head.headers, query).map_err(refused)?;
        return Ok(Accepted { protocol, response });
    }
    if has_word(&head.headers, &UPGRADE, "spdy/3.1") {
        return spdy(&head.headers);
    }
    Err(refused(no_upgrade()))
}

fn no_upgrade() -> Status {
    Status::bad_request(
        "unable to upgrade: missing upgrade headers in request: a port-forward takes `Connection: \
         Upgrade` with `Upgrade: SPDY/3.1` or `Upgrade: websocket`",
    )
}

fn spdy(headers: &HeaderMap) -> Result<Accepted, Box<Response<Body>>> {
    if !headers.contains_key(PROTOCOL) {
        let why = format!("unable to upgrade: {PROTOCOL} is required");
        return Err(Box::new(Status::bad_request(why).into()));
    }
    if !has_word(headers, &PROTOCOL, PORTFORWARD) {
        let why =
            "unable to upgrade: unable to negotiate protocol: server accepts portforward.k8s.io";
        let mut response = Response::from(Status::forbidden(why));
        response.headers_mut().insert(ACCEPTED, HeaderValue::from_static(PORTFORWARD));
        return Err(Box::new(response));
    }
    let mut response = Response::new(Body::default());
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let headers = response.headers_mut();
    headers.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
    headers.insert(UPGRADE, HeaderValue::from_static("SPDY/3.1"));
    headers.insert(PROTOCOL, HeaderValue::from_static(PORTFORWARD));
    Ok(Accepted { protocol: StreamProtocol::Spdy, response })
}

/// Whether one of the words of a header is this one.
fn has_word(headers: &HeaderMap, name: &HeaderName, word: &str) -> bool {
    let values = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).any(|one| one.trim().eq_ignore_ascii_case(word))
}

#[cfg(test)]
mod tests {
    use hyper::Request;

    use super::*;

    fn answer(method: Method, headers: &[(&str, &str)]) -> Result<Accepted, Box<Response<Body>>> {
        let mut request = Request::builder().method(method).uri("/x?ports=80");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        negotiate(&request.body(()).unwrap().into_parts().0)
    }

    const UPGRADES: [(&str, &str); 2] = [("connection", "Upgrade"), ("upgrade", "SPDY/3.1")];

    #[test]
    fn spdy_is_accepted_by_both_methods() {
        let [connection, upgrade] = UPGRADES;
        let protocol = ("x-stream-protocol-version", "x.k8s.io, portforward.k8s.io");
        for method in [Method::POST, Method::GET] {
            let accepted = answer(method, &[connection, upgrade, protocol]).ok().unwrap();
            assert_eq!(accepted.protocol, StreamProtocol::Spdy);
            let headers = accepted.response.headers();
            assert_eq!(accepted.response.status(), 101);
            assert_eq!(headers["upgrade"], "SPDY/3.1");
            assert_eq!(headers["x-stream-protocol-version"], PORTFORWARD);
        }
    }

    #[test]
    fn other_requests_are_refused_with_the_reason() {
        let [connection, upgrade] = UPGRADES;
        let status = |method, headers: &[(&str, &str)]| {
            answer(method, headers).err().unwrap().status().as_u16()
        };
        assert_eq!(status(Method::POST, &[]), 400);
        assert_eq!(status(Method::POST, &[upgrade]), 400);
        assert_eq!(status(Method::POST, &[connection, ("upgrade", "h2c")]), 400);
        assert_eq!(status(Method::POST, &[connection, upgrade]), 400);
        assert_eq!(status(Method::POST, &[connection, ("upgrade", "websocket")]), 400);
        assert_eq!(status(Method::DELETE, &[connection, upgrade]), 405);
        let wrong = ("x-stream-protocol-version", "v4.channel.k8s.io");
        let refused = answer(Method::POST, &[connection, upgrade, wrong]).err().unwrap();
        assert_eq!(refused.status(), 403);
        assert_eq!(refused.headers()["x-accepted-stream-protocol-versions"], PORTFORWARD);
    }
}
