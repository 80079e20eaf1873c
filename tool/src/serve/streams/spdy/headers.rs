//! The headers of a stream (draft-mbelshe-httpbis-spdy-00, 2.6.10).

use super::error::SpdyError;
use super::limits::MAX_HEADERS;

/// The headers of a stream.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Headers {
    all: Vec<(String, String)>,
}

impl Headers {
    /// Decodes an inflated header block. Bytes that are no UTF-8 are replaced.
    pub fn decode(mut block: &[u8]) -> Result<Self, SpdyError> {
        let count = number(&mut block)?;
        if count > MAX_HEADERS {
            return Err(SpdyError::Headers(count));
        }
        let mut all = Vec::new();
        for _ in 0..count {
            all.push((text(&mut block)?, text(&mut block)?));
        }
        if block.is_empty() { Ok(Self { all }) } else { Err(SpdyError::Malformed) }
    }

    /// The value of a header. Names differ in case only between implementations.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        let (_, value) = self.all.iter().find(|(other, _)| other.eq_ignore_ascii_case(name))?;
        Some(value)
    }
}

fn number(block: &mut &[u8]) -> Result<u32, SpdyError> {
    let (number, rest) = block.split_first_chunk().ok_or(SpdyError::Malformed)?;
    *block = rest;
    Ok(u32::from_be_bytes(*number))
}

fn text(block: &mut &[u8]) -> Result<String, SpdyError> {
    let length = usize::try_from(number(block)?).unwrap_or(usize::MAX);
    let (text, rest) = block.split_at_checked(length).ok_or(SpdyError::Malformed)?;
    *block = rest;
    Ok(String::from_utf8_lossy(text).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_checked() {
        let block = b"\0\0\0\x01\0\0\0\x04port\0\0\0\x0280";
        let headers = Headers::decode(block).unwrap();
        assert_eq!(headers.get("Port"), Some("80"));
        assert_eq!(headers.get("requestid"), None);
        for end in 0..block.len() {
            assert_eq!(Headers::decode(&block[..end]), Err(SpdyError::Malformed), "{end}");
        }
        assert_eq!(Headers::decode(&[&block[..], b"x"].concat()), Err(SpdyError::Malformed));
        assert_eq!(Headers::decode(&[0, 0, 0, 65]), Err(SpdyError::Headers(65)));
        assert_eq!(Headers::decode(b"\0\0\0\x01\xff\xff\xff\xffx"), Err(SpdyError::Malformed));
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_are_headers_or_not(block: Vec<u8>) {
            let _ = Headers::decode(&block);
        }
    }
}
