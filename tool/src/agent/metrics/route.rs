//! Answers the requests of scrapers and probes.

use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{ACCEPT, ALLOW, CONTENT_TYPE, HeaderValue};
use hyper::{Method, Request, Response, StatusCode};

use super::exposition::{Exposition, Format};
use crate::agent::health::Health;

/// What is served.
#[derive(Clone, Debug)]
pub(super) struct Site {
    pub(super) exposition: Exposition,
    pub(super) health: Health,
}

impl Site {
    /// The answer to a request. Its body is not read.
    pub(super) fn answer<B>(&self, request: &Request<B>) -> Response<Full<Bytes>> {
        let path = request.uri().path();
        if !matches!(path, "/" | "/metrics" | "/healthz" | "/readyz") {
            return plain(StatusCode::NOT_FOUND, "not found; see /metrics, /healthz and /readyz\n");
        }
        if !matches!(*request.method(), Method::GET | Method::HEAD) {
            let mut refused = plain(StatusCode::METHOD_NOT_ALLOWED, "only GET and HEAD\n");
            refused.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
            return refused;
        }
        match path {
            "/metrics" => {
                let accept = request.headers().get_all(ACCEPT).iter();
                let accept: Vec<_> = accept.filter_map(|value| value.to_str().ok()).collect();
                self.metrics(Format::accepted(&accept.join(",")))
            }
            "/healthz" => status(self.health.is_alive(), "the event loop does not turn\n"),
            "/readyz" => status(self.health.is_ready(), "the kernel programs are not attached\n"),
            _ => plain(StatusCode::OK, "pfsnoop agent: /metrics, /healthz, /readyz\n"),
        }
    }

    fn metrics(&self, format: Format) -> Response<Full<Bytes>> {
        let Ok(text) = self.exposition.encode(format) else {
            return plain(StatusCode::INTERNAL_SERVER_ERROR, "the metrics cannot be encoded\n");
        };
        let mut answer = Response::new(Full::new(text));
        let content_type = HeaderValue::from_static(format.content_type());
        answer.headers_mut().insert(CONTENT_TYPE, content_type);
        answer
    }
}

fn status(is_ok: bool, why_not: &'static str) -> Response<Full<Bytes>> {
    if is_ok {
        plain(StatusCode::OK, "ok\n")
    } else {
        plain(StatusCode::SERVICE_UNAVAILABLE, why_not)
    }
}

fn plain(status: StatusCode, text: &'static str) -> Response<Full<Bytes>> {
    let mut answer = Response::new(Full::new(Bytes::from_static(text.as_bytes())));
    *answer.status_mut() = status;
    let content_type = HeaderValue::from_static("text/plain; charset=utf-8");
    answer.headers_mut().insert(CONTENT_TYPE, content_type);
    answer
}

#[cfg(test)]
mod tests {
    use prometheus_client::registry::Registry;

    use super::*;

    fn site() -> Site {
        Site { exposition: Exposition::new(Registry::default()), health: Health::new() }
    }

    fn answer(method: &str, path: &str) -> (u16, Option<HeaderValue>) {
        let request = Request::builder().method(method).uri(path).body(()).unwrap();
        let answer = site().answer(&request);
        (answer.status().as_u16(), answer.headers().get(ALLOW).cloned())
    }

    #[test]
    fn only_known_paths_and_methods_are_answered() {
        for (method, path, status) in [
            ("GET", "/", 200),
            ("GET", "/metrics", 200),
            ("HEAD", "/metrics?x=y", 200),
            ("POST", "/metrics", 405),
            ("DELETE", "/healthz", 405),
            ("GET", "/metrics/", 404),
            ("POST", "/elsewhere", 404),
            ("GET", "/readyz", 503),
            ("GET", "/healthz", 503),
        ] {
            let (found, allow) = answer(method, path);
            assert_eq!((found, allow.is_some()), (status, status == 405), "{method} {path}");
        }
    }
}
