//! Answers with a body.

use http_body_util::Full;
use hyper::body::Bytes;
use hyper::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue, WARNING};
use hyper::{Response, StatusCode};
use serde::Serialize;

use super::status::Status;

/// The body of every answer: complete, and in memory.
pub(in crate::serve) type Body = Full<Bytes>;

/// At most this many warnings are sent with an answer.
const MAX_WARNINGS: usize = 8;

/// At most this many characters of a warning are sent.
const MAX_WARNING: usize = 200;

/// An object as JSON.
pub(super) fn json(code: StatusCode, object: &impl Serialize) -> Response<Body> {
    let body = serde_json::to_vec(object).unwrap_or_default();
    with_body(code, "application/json", body)
}

/// A text.
pub(super) fn text(code: StatusCode, text: &str) -> Response<Body> {
    with_body(code, "text/plain; charset=utf-8", text.into())
}

fn with_body(code: StatusCode, kind: &'static str, body: Vec<u8>) -> Response<Body> {
    let mut response = Response::new(Full::from(body));
    *response.status_mut() = code;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache, private"));
    response
}

/// Adds lines that kubectl prints as `Warning: LINE`.
pub(super) fn warn(response: &mut Response<Body>, lines: &[String]) {
    for line in lines.iter().take(MAX_WARNINGS) {
        let plain = |char: char| if matches!(char, ' '..='~') { char } else { '?' };
        let quoted = line.chars().take(MAX_WARNING).map(plain);
        let quoted = quoted.collect::<String>().replace('\\', "\\\\").replace('"', "\\\"");
        // 299 is a miscellaneous warning, and `-` stands for a server without a name (RFC 7234, 5.5).
        if let Ok(value) = HeaderValue::from_str(&format!("299 - \"{quoted}\"")) {
            response.headers_mut().append(WARNING, value);
        }
    }
}

impl From<Status> for Response<Body> {
    fn from(status: Status) -> Self {
        if let Some((code, message)) = status.as_text() {
            return text(code, message);
        }
        let (code, object) = status.into_parts();
        json(code, &object)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_warning_is_one_header_of_plain_text() {
        let mut response = text(StatusCode::OK, "ok");
        warn(&mut response, &["docker: \"no\"\r\nanswer\u{202e}".to_owned()]);
        let all: Vec<_> = response.headers().get_all(WARNING).iter().collect();
        assert_eq!(all, ["299 - \"docker: \\\"no\\\"??answer?\""]);
    }
}
