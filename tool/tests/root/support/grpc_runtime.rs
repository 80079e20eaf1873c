//! A server that speaks gRPC on a unix socket, and answers whatever a test wants.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use http_body_util::BodyExt as _;
use hyper::body::{Body, Bytes, Frame, Incoming};
use hyper::header::{HeaderName, HeaderValue};
use hyper::server::conn::http2;
use hyper::service::service_fn;
use hyper::{HeaderMap, Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::UnixListener;

/// The answer to a call.
pub enum Answer {
    /// A message.
    Message(Vec<u8>),
    /// The beginning of a message with this length, and then nothing more.
    Stalled(u32, Vec<u8>),
    /// The same, and then the same bytes again and again.
    Endless(u32, Vec<u8>),
    /// An error with these words, as gRPC encodes them.
    Error(&'static str),
}

/// Serves at a socket for as long as the test runs. `answer` gets the name of each method.
pub fn serve(socket: &Path, answer: impl Fn(&str) -> Answer + Send + Sync + 'static) {
    let listener = std::os::unix::net::UnixListener::bind(socket).unwrap();
    listener.set_nonblocking(true).unwrap();
    let answer = Arc::new(answer);
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.unwrap().block_on(async move {
            let listener = UnixListener::from_std(listener).unwrap();
            while let Ok((stream, _)) = listener.accept().await {
                let answer = Arc::clone(&answer);
                let service = service_fn(move |request| respond(Arc::clone(&answer), request));
                let server = http2::Builder::new(TokioExecutor::new());
                tokio::spawn(server.serve_connection(TokioIo::new(stream), service));
            }
        });
    });
}

/// A gRPC answer: a message with its length, then the status as a trailer.
async fn respond(
    answer: Arc<impl Fn(&str) -> Answer>,
    request: Request<Incoming>,
) -> Result<Response<Frames>, Infallible> {
    let method = request.uri().path().rsplit('/').next().unwrap_or_default().to_owned();
    let _ = request.into_body().collect().await;
    let mut response = Response::builder().header("content-type", "application/grpc");
    let frames = match answer(&method) {
        Answer::Message(message) => {
            let len = u32::try_from(message.len()).unwrap();
            let status = (HeaderName::from_static("grpc-status"), HeaderValue::from_static("0"));
            let trailers = Frame::trailers(HeaderMap::from_iter([status]));
            Frames { first: [framed(len, &message), trailers].into(), then: Then::End }
        }
        Answer::Stalled(len, part) => {
            Frames { first: [framed(len, &part)].into(), then: Then::Stall }
        }
        Answer::Endless(len, part) => {
            Frames { first: [framed(len, &part)].into(), then: Then::Repeat(part.into()) }
        }
        Answer::Error(words) => {
            response = response.header("grpc-status", "2").header("grpc-message", words);
            Frames { first: VecDeque::new(), then: Then::End }
        }
    };
    Ok(response.body(frames).unwrap())
}

/// The beginning of a message with this length.
fn framed(len: u32, part: &[u8]) -> Frame<Bytes> {
    Frame::data([&[0][..], &len.to_be_bytes(), part].concat().into())
}

/// The body of an answer.
struct Frames {
    first: VecDeque<Frame<Bytes>>,
    then: Then,
}

/// What comes after the first frames.
enum Then {
    End,
    Stall,
    Repeat(Bytes),
}

impl Body for Frames {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        match (self.first.pop_front(), &self.then) {
            (Some(frame), _) => Poll::Ready(Some(Ok(frame))),
            (None, Then::End) => Poll::Ready(None),
            (None, Then::Stall) => Poll::Pending,
            (None, Then::Repeat(part)) => Poll::Ready(Some(Ok(Frame::data(part.clone())))),
        }
    }
}
