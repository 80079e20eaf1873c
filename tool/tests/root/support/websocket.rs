//! A minimal WebSocket client (RFC 6455) for the streaming server of a container runtime. It speaks
//! `v4.channel.k8s.io`, in which the first byte of a message is its channel.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

/// A forward of one port. Channel 0 carries data, channel 1 errors.
pub struct PortForward(TcpStream);

impl PortForward {
    /// Opens the URL that CRI's PortForward returned.
    pub fn open(url: &str, port: u16) -> Self {
        let rest = url.strip_prefix("http://").expect("a plain URL");
        let (host, path) = rest.split_once('/').unwrap();
        let mut stream = TcpStream::connect(host).unwrap();
        let request = format!(
            "GET /{path}?port={port} HTTP/1.1\r\nHost: {host}\r\nConnection: Upgrade\r\n\
             Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
             Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
             Sec-WebSocket-Protocol: v4.channel.k8s.io\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            stream.read_exact(&mut byte).unwrap();
            head.extend(byte);
        }
        assert!(head.starts_with(b"HTTP/1.1 101 "), "{}", crate::common::text(&head));
        let mut forward = Self(stream);
        // Each channel begins with its port, little-endian.
        for _ in 0..2 {
            let (_, port_bytes) = forward.receive().expect("the port");
            assert_eq!(port_bytes, port.to_le_bytes());
        }
        forward
    }

    /// Sends a short message of data.
    pub fn send(&mut self, data: &[u8]) {
        let len = u8::try_from(data.len() + 1).unwrap();
        assert!(len < 126, "short messages only");
        // Final and binary; masked, with zeroes.
        let mut frame = vec![0x82, 0x80 | len, 0, 0, 0, 0, 0];
        frame.extend(data);
        self.0.write_all(&frame).unwrap();
    }

    /// The next message: its channel and its bytes. `None` at the end.
    pub fn receive(&mut self) -> Option<(u8, Vec<u8>)> {
        loop {
            let mut head = [0; 2];
            self.0.read_exact(&mut head).ok()?;
            let len = match head[1] & 0x7f {
                126 => {
                    let mut len = [0; 2];
                    self.0.read_exact(&mut len).ok()?;
                    usize::from(u16::from_be_bytes(len))
                }
                127 => {
                    let mut len = [0; 8];
                    self.0.read_exact(&mut len).ok()?;
                    usize::try_from(u64::from_be_bytes(len)).unwrap()
                }
                len => usize::from(len),
            };
            let mut message = vec![0; len];
            self.0.read_exact(&mut message).ok()?;
            match (head[0] & 0x0f, message.split_first()) {
                (8, _) => return None,
                (1 | 2, Some((&channel, bytes))) => return Some((channel, bytes.to_vec())),
                _ => {}
            }
        }
    }
}
