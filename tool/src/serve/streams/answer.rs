//! How a client learns that its connection has ended.

use tokio::sync::oneshot;

/// The forwarder's answer to a [`super::PortRequest`]. Dropping it is [`Answer::reset`].
#[derive(Debug)]
pub struct Answer {
    end: oneshot::Sender<End>,
}

/// How a connection has ended, as the client is to learn it.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum End {
    /// Both sides have sent everything.
    Finished,
    /// A text for the error stream.
    Failed(String),
    /// The data stream breaks off.
    Reset,
}

impl Answer {
    /// An answer, and where it arrives.
    pub(super) fn new() -> (Self, oneshot::Receiver<End>) {
        let (end, receiver) = oneshot::channel();
        (Self { end }, receiver)
    }

    /// The connection ended well: both streams end.
    pub fn finish(self) {
        self.send(End::Finished);
    }

    /// Sends a text on the error stream, in the kubelet's words, and ends both streams. kubectl ends its
    /// whole session on any text.
    pub fn fail(self, text: String) {
        self.send(End::Failed(text));
    }

    /// Resets the data stream and sends no text. WebSocket channels have no reset: the channel stays
    /// silent from then on.
    pub fn reset(self) {
        self.send(End::Reset);
    }

    fn send(self, end: End) {
        // Without a receiver, the client is gone, and nobody is to learn the end.
        let _ = self.end.send(end);
    }
}
