//! How a transport frames the two streams of one request.

/// Frames for the data stream and the error stream of one request. Each function appends to what waits
/// to be written to the client.
pub(super) trait PairFrames: Send + Sync + 'static {
    /// Whether the client learns the end of what the pod sends before the end of everything.
    const HAS_END_OF_DATA: bool;

    /// Length of what goes before a piece of data, bytes.
    const HEAD: usize;

    /// The number of the data stream.
    fn id(&self) -> u32;

    /// Fills in what goes before a piece of data of `length` bytes. `head` has [`Self::HEAD`] bytes.
    fn head(&self, head: &mut [u8], length: usize);

    /// The end of what the pod sends.
    fn end_data(&self, out: &mut Vec<u8>);

    /// The data stream breaks off.
    fn reset_data(&self, out: &mut Vec<u8>);

    /// A text on the error stream.
    fn error_text(&self, text: &str, out: &mut Vec<u8>);

    /// The end of the error stream.
    fn end_errors(&self, out: &mut Vec<u8>);

    /// A ping. The client's answer means nothing; that it can be written does.
    fn probe(out: &mut Vec<u8>);
}
