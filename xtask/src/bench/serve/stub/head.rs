//! The head of a request.

use std::io;

use super::tls::Stream;

/// More than kubectl sends.
const MAX_HEAD: usize = 64 * 1024;

/// The head of a request, and what came after it.
pub(super) struct Head {
    pub(super) method: String,
    /// Without the query.
    pub(super) path: String,
    /// The lines after the first, with the empty line at the end.
    pub(super) headers: String,
    pub(super) rest: Vec<u8>,
}

impl Head {
    /// Reads the next one; `None` at the end of the connection. Requests with a body are not expected.
    pub(super) fn read(stream: &Stream) -> io::Result<Option<Self>> {
        let (mut read, mut part) = (Vec::new(), [0; 4096]);
        loop {
            let end = read.windows(4).position(|four| four == b"\r\n\r\n");
            if let Some(end) = end {
                let rest = read.split_off(end + 4);
                let text = String::from_utf8(read).map_err(io::Error::other)?;
                return Self::parse(&text, rest).map(Some);
            }
            match stream.read(&mut part)? {
                0 => return Ok(None),
                _ if read.len() > MAX_HEAD => return Err(io::Error::other("the head is too long")),
                len => read.extend(&part[..len]),
            }
        }
    }

    fn parse(text: &str, rest: Vec<u8>) -> io::Result<Self> {
        let (first, headers) = text.split_once("\r\n").unwrap_or_default();
        let mut words = first.split(' ');
        let (Some(method), Some(target)) = (words.next(), words.next()) else {
            return Err(io::Error::other("no request"));
        };
        let path = target.split('?').next().unwrap_or_default();
        let (method, path, headers) = (method.to_owned(), path.to_owned(), headers.to_owned());
        Ok(Self { method, path, headers, rest })
    }
}
