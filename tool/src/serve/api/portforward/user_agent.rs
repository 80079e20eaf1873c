//! How a client calls itself.

use hyper::HeaderMap;
use hyper::header::{HeaderValue, USER_AGENT};

/// At most this many bytes are kept. kubectl's has about 60.
const MAX_USER_AGENT: usize = 128;

/// The client's `User-Agent`: at most [`MAX_USER_AGENT`] bytes of printable ASCII, with `?` for any other
/// byte. Empty without one.
pub(in crate::serve::api) fn user_agent(headers: &HeaderMap) -> String {
    let value = headers.get(USER_AGENT).map(HeaderValue::as_bytes).unwrap_or_default();
    let printable = |&byte: &u8| if matches!(byte, b' '..=b'~') { char::from(byte) } else { '?' };
    value.iter().take(MAX_USER_AGENT).map(printable).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_agent_is_printable_and_short() {
        let of = |bytes: &[u8]| {
            let value = HeaderValue::from_bytes(bytes).unwrap();
            user_agent(&[(USER_AGENT, value)].into_iter().collect())
        };
        assert_eq!(of(b"kubectl/v1.32.3 (linux/amd64)"), "kubectl/v1.32.3 (linux/amd64)");
        assert_eq!(of("a\u{202e}b\tc".as_bytes()), "a???b?c");
        assert_eq!(of(&[b'x'; 1000]).len(), MAX_USER_AGENT);
        assert_eq!(user_agent(&HeaderMap::new()), "");
    }
}
