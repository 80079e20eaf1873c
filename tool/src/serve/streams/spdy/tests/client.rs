//! A client for tests.

use flate2::{Compress, Compression, FlushCompress};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream, duplex};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::super::super::error::StreamsError;
use super::super::super::request::PortRequest;
use super::super::dictionary::DICTIONARY;
use super::super::encode;
use super::super::frame::{FLAG_FIN, HEAD, Head, Status, kind};
use super::super::inflate::Inflater;
use super::super::serve_spdy;

/// What the server sends.
#[derive(Debug, PartialEq, Eq)]
pub(in super::super::super) enum Seen {
    Reply(u32),
    Data(u32, Vec<u8>),
    Fin(u32),
    Reset(u32, u32),
    Ping(u32),
    GoAway(u32, u32),
}

/// A client, and the server that it is connected with.
pub(in super::super::super) struct Client<IO = DuplexStream> {
    pub(in super::super::super) io: IO,
    zlib: Compress,
    replies: Inflater,
    pub(in super::super::super) ending: CancellationToken,
    pub(in super::super::super) requests: mpsc::Receiver<PortRequest>,
    pub(in super::super::super) server: JoinHandle<Result<(), StreamsError>>,
}

/// The head of a data stream or error stream, deflated.
pub(in super::super::super) fn headers(streamtype: &str, port: &str, request: &str) -> Vec<u8> {
    let mut block = 3_u32.to_be_bytes().to_vec();
    let all = ["streamtype", streamtype, "port", port, "requestid", request];
    for text in all {
        block.extend(u32::try_from(text.len()).unwrap().to_be_bytes());
        block.extend(text.as_bytes());
    }
    block
}

impl Client {
    pub(in super::super::super) fn new() -> Self {
        let (ours, servers) = duplex(64 * 1024);
        let (sender, requests) = mpsc::channel(16);
        let ending = CancellationToken::new();
        let server = tokio::spawn(serve_spdy(servers, ending.clone(), sender));
        Self::over(ours, ending, requests, server)
    }
}

impl<IO: AsyncRead + AsyncWrite + Unpin> Client<IO> {
    pub(in super::super::super) fn over(
        io: IO,
        ending: CancellationToken,
        requests: mpsc::Receiver<PortRequest>,
        server: JoinHandle<Result<(), StreamsError>>,
    ) -> Self {
        let mut zlib = Compress::new(Compression::default(), true);
        zlib.set_dictionary(&DICTIONARY).unwrap();
        Self { io, zlib, replies: Inflater::new(), ending, requests, server }
    }

    pub(in super::super::super) fn deflate(&mut self, block: &[u8]) -> Vec<u8> {
        let mut out = Vec::with_capacity(block.len() + 1024);
        self.zlib.compress_vec(block, &mut out, FlushCompress::Sync).unwrap();
        out
    }

    pub(in super::super::super) async fn send(&mut self, bytes: &[u8]) {
        self.io.write_all(bytes).await.unwrap();
        self.io.flush().await.unwrap();
    }

    pub(in super::super::super) async fn open_with(&mut self, stream: u32, deflated: &[u8]) {
        let length = u32::try_from(10 + deflated.len()).unwrap();
        let head = Head::Control { kind: kind::SYN_STREAM, flags: 0, length }.encode();
        let frame = [&head[..], &stream.to_be_bytes(), &[0; 6], deflated].concat();
        self.send(&frame).await;
    }

    pub(in super::super::super) async fn open(&mut self, stream: u32, kind: &str, request: &str) {
        let deflated = self.deflate(&headers(kind, "80", request));
        self.open_with(stream, &deflated).await;
    }

    /// Opens the streams 1 and 3, or 5 and 7, as kubectl does. Returns the request and the data stream.
    pub(in super::super::super) async fn request(&mut self, error: u32) -> (PortRequest, u32) {
        let name = error.to_string();
        self.open(error, "error", &name).await;
        assert_eq!(self.next().await, Some(Seen::Reply(error)));
        self.data(error, b"", true).await;
        self.open(error + 2, "data", &name).await;
        assert_eq!(self.next().await, Some(Seen::Reply(error + 2)));
        let request = self.requests.recv().await.unwrap();
        assert_eq!(request.port, 80);
        (request, error + 2)
    }

    pub(in super::super::super) async fn data(&mut self, stream: u32, bytes: &[u8], is_last: bool) {
        let head = encode::data_head(stream, bytes.len(), is_last);
        self.send(&[&head[..], bytes].concat()).await;
    }

    /// As kubectl does after each connection.
    pub(in super::super::super) async fn reset(&mut self, stream: u32) {
        let mut frame = Vec::new();
        encode::reset(&mut frame, stream, Status::Cancel);
        self.send(&frame).await;
    }

    /// The next frame. `None` at the end of the connection.
    pub(in super::super::super) async fn next(&mut self) -> Option<Seen> {
        let mut head = [0; HEAD];
        self.io.read_exact(&mut head).await.ok()?;
        match Head::decode(head).unwrap() {
            Head::Data { stream, flags, length } => {
                let bytes = self.payload(length).await;
                let is_last = flags & FLAG_FIN != 0;
                assert!(!is_last || bytes.is_empty());
                Some(if is_last { Seen::Fin(stream) } else { Seen::Data(stream, bytes) })
            }
            Head::Control { kind, length, .. } => {
                let payload = self.payload(length).await;
                Some(self.control(kind, &payload))
            }
        }
    }

    async fn payload(&mut self, length: u32) -> Vec<u8> {
        let mut payload = vec![0; usize::try_from(length).unwrap()];
        self.io.read_exact(&mut payload).await.unwrap();
        payload
    }

    fn control(&mut self, kind: u16, payload: &[u8]) -> Seen {
        let word = |at: usize| {
            payload.get(at..at + 4).map_or(0, |word| u32::from_be_bytes(word.try_into().unwrap()))
        };
        match kind {
            kind::SYN_REPLY => {
                assert_eq!(self.replies.inflate(&payload[4..]).unwrap(), [0; 4], "no headers");
                Seen::Reply(word(0))
            }
            kind::RST_STREAM => Seen::Reset(word(0), word(4)),
            kind::PING => Seen::Ping(word(0)),
            kind::GOAWAY => Seen::GoAway(word(0), word(4)),
            other => panic!("a frame of type {other}"),
        }
    }

    /// The next frame is the end of the session, and this is how the server ended.
    pub(in super::super::super) async fn ended(
        mut self,
    ) -> (Option<Seen>, Result<(), StreamsError>) {
        let last = self.next().await;
        (last, self.server.await.unwrap())
    }
}
