//! A client that sends what it likes.

use std::io::{Read as _, Write as _};
use std::process::{Child, ChildStdin, Stdio};

use flate2::write::ZlibEncoder;
use flate2::{Compression, FlushCompress};

use super::endpoint::Endpoint;
use crate::common::{eventually, system};

/// A connection to an endpoint, through openssl(1).
pub struct Attacker {
    openssl: Child,
    to: ChildStdin,
}

impl Attacker {
    /// Connects, and reads everything that comes.
    pub fn connect(endpoint: &Endpoint) -> Self {
        let mut attacker = Self::connect_and_read_nothing(endpoint);
        let mut from = attacker.openssl.stdout.take().unwrap();
        std::thread::spawn(move || {
            let mut bytes = vec![0; 64 * 1024];
            while matches!(from.read(&mut bytes), Ok(1..)) {}
        });
        attacker
    }

    /// The same, and takes no more than what the pipe of openssl holds.
    pub fn connect_and_read_nothing(endpoint: &Endpoint) -> Self {
        let (url, _) = endpoint.url_and_token();
        let mut openssl = system("openssl");
        openssl.args(["s_client", "-quiet", "-connect", url.trim_start_matches("https://")]);
        openssl.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut openssl = openssl.spawn().unwrap();
        let to = openssl.stdin.take().unwrap();
        Self { openssl, to }
    }

    /// Asks for a forward to that pod, with these headers.
    pub fn upgrade(mut self, endpoint: &Endpoint, pod: (&str, &str), headers: &str) -> Self {
        let (_, token) = endpoint.url_and_token();
        let (namespace, name) = pod;
        let path = format!("/api/v1/namespaces/{namespace}/pods/{name}/portforward");
        let method = if headers.contains("websocket") { "GET" } else { "POST" };
        let head = format!(
            "{method} {path}?ports=8080 HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n\
             Connection: Upgrade\r\n{headers}\r\n"
        );
        assert!(self.send(head.as_bytes()), "the endpoint takes the request");
        self
    }

    /// Whether the endpoint still took it.
    pub fn send(&mut self, bytes: &[u8]) -> bool {
        self.to.write_all(bytes).is_ok()
    }

    /// Waits until the endpoint has ended the connection.
    pub fn is_turned_away(&mut self) {
        eventually("the end of the attacker's connection", || self.openssl.try_wait().unwrap());
    }
}

impl Drop for Attacker {
    fn drop(&mut self) {
        let _ = self.openssl.kill();
        let _ = self.openssl.wait();
    }
}

/// The headers of SPDY's upgrade.
pub const SPDY: &str = "Upgrade: SPDY/3.1\r\nX-Stream-Protocol-Version: portforward.k8s.io\r\n";

/// The headers of the upgrade to WebSocket channels.
pub const CHANNELS: &str = "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
                            Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
                            Sec-WebSocket-Protocol: v4.channel.k8s.io\r\n";

/// Makes the SPDY/3.1 frames of one connection.
pub struct Frames {
    /// All header blocks are one compressed stream.
    headers: flate2::Compress,
}

impl Frames {
    pub fn new() -> Self {
        Self { headers: flate2::Compress::new(Compression::default(), true) }
    }

    /// A stream for this port. `kind` is `data` or `error`.
    pub fn stream(&mut self, id: u32, kind: &str, port: u16, request: u32) -> Vec<u8> {
        let headers = [
            ("streamtype", kind.to_owned()),
            ("port", port.to_string()),
            ("requestid", request.to_string()),
        ];
        let mut block = u32::try_from(headers.len()).unwrap().to_be_bytes().to_vec();
        for (name, value) in headers {
            for text in [name, &value] {
                block.extend(u32::try_from(text.len()).unwrap().to_be_bytes());
                block.extend(text.as_bytes());
            }
        }
        let mut compressed = Vec::with_capacity(1024);
        self.headers.compress_vec(&block, &mut compressed, FlushCompress::Sync).unwrap();
        syn_stream(id, &compressed)
    }
}

/// A stream with this compressed header block.
pub fn syn_stream(id: u32, block: &[u8]) -> Vec<u8> {
    let mut payload = id.to_be_bytes().to_vec();
    payload.extend([0; 6]);
    payload.extend(block);
    control(1, &payload)
}

/// A PING.
pub fn ping(id: u32) -> Vec<u8> {
    control(6, &id.to_be_bytes())
}

/// Bytes on a stream.
pub fn data(id: u32, bytes: &[u8]) -> Vec<u8> {
    let length = u32::try_from(bytes.len()).unwrap();
    [&id.to_be_bytes(), &length.to_be_bytes(), bytes].concat()
}

fn control(kind: u8, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap();
    [&[0x80, 3, 0, kind], &length.to_be_bytes()[..], payload].concat()
}

/// So many zeros, compressed: about a thousandth of that.
pub fn bomb(zeros: usize) -> Vec<u8> {
    let mut zlib = ZlibEncoder::new(Vec::new(), Compression::best());
    let piece = vec![0; 1 << 16];
    for _ in 0..zeros / piece.len() {
        zlib.write_all(&piece).unwrap();
    }
    zlib.finish().unwrap()
}
