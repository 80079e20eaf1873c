//! Copies what the pod sends towards the client.

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use tokio::task::yield_now;

use super::data_stream::DataStream;
use super::outbox::Outbox;
use super::pair_frames::PairFrames;

/// How what the pod sends has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Eof {
    /// The forwarder has half-closed its socket.
    HalfClosed,
    /// The forwarder has closed its socket, or both directions have ended. Its answer says how.
    Closed,
}

/// Copies from the forwarder's socket to the outbox, up to the end.
pub(super) async fn copy_out<F: PairFrames>(
    stream: &DataStream,
    frames: &F,
    outbox: &Outbox,
) -> Eof {
    loop {
        if stream.socket.readable().await.is_err() {
            return Eof::Closed;
        }
        let Some(room) = outbox.room().await else { return Eof::Closed };
        match outbox.read_piece(&stream.socket, frames, room) {
            Ok(0) if has_hung_up(stream) => return Eof::Closed,
            Ok(0) => return Eof::HalfClosed,
            // The streams take turns.
            Ok(_) => yield_now().await,
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
            // The forwarder has closed its socket, and left data of the client unread in it
            // (`unix_release_sock`, net/unix/af_unix.c). What it sent was read before the error.
            Err(_) => return Eof::Closed,
        }
    }
}

/// Both directions of the socket have ended (`unix_poll`, net/unix/af_unix.c).
fn has_hung_up(stream: &DataStream) -> bool {
    let mut socket = [PollFd::new(&stream.socket, PollFlags::empty())];
    let now = Timespec { tv_sec: 0, tv_nsec: 0 };
    let polled = poll(&mut socket, Some(&now));
    polled.is_ok() && socket.iter().any(|socket| socket.revents().contains(PollFlags::HUP))
}
