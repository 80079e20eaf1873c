//! The frames that a server sends, appended to a buffer.

use super::dictionary::ADLER;
use super::frame::{FLAG_FIN, HEAD, Head, Status, kind};

/// The begin of a zlib stream with a dictionary: deflate, window of 32 KiB, dictionary (RFC 1950, 2.2).
const ZLIB_HEAD: [u8; 2] = [0x78, 0xbb];

/// No headers, as a deflate block that is not compressed: a number of 0 in 4 bytes (RFC 1951, 3.2.4).
/// Replies have no headers, so the session needs no compressor, which would take 256 KiB.
const NO_HEADERS: [u8; 9] = [0, 4, 0, 0xfb, 0xff, 0, 0, 0, 0];

/// An empty block, as in zlib's sync flush. Go's reader passes on what it has only at such a block.
const FLUSH: [u8; 5] = [0, 0, 0, 0xff, 0xff];

/// The reply to a stream of the client. The first one begins the zlib stream of this direction.
pub(super) fn syn_reply(out: &mut Vec<u8>, stream: u32, is_first: bool) {
    let mut block = Vec::new();
    if is_first {
        block.extend(ZLIB_HEAD);
        block.extend(ADLER.to_be_bytes());
    }
    block.extend(NO_HEADERS);
    block.extend(FLUSH);
    control(out, kind::SYN_REPLY, &[&stream.to_be_bytes(), &block]);
}

/// Breaks a stream off.
pub(super) fn reset(out: &mut Vec<u8>, stream: u32, status: Status) {
    let status = status as u32;
    control(out, kind::RST_STREAM, &[&stream.to_be_bytes(), &status.to_be_bytes()]);
}

/// A ping, or the answer to one.
pub(super) fn ping(out: &mut Vec<u8>, id: u32) {
    control(out, kind::PING, &[&id.to_be_bytes()]);
}

/// The end of the connection. `is_fault`: the client has broken the rules.
pub(super) fn go_away(out: &mut Vec<u8>, last_stream: u32, is_fault: bool) {
    let status = u32::from(is_fault);
    control(out, kind::GOAWAY, &[&last_stream.to_be_bytes(), &status.to_be_bytes()]);
}

/// What goes before `length` bytes of data, of at most 16 MiB.
pub(super) fn data_head(stream: u32, length: usize, is_last: bool) -> [u8; HEAD] {
    let length = u32::try_from(length).unwrap_or(u32::MAX);
    Head::Data { stream, flags: if is_last { FLAG_FIN } else { 0 }, length }.encode()
}

fn control(out: &mut Vec<u8>, kind: u16, parts: &[&[u8]]) {
    let length: usize = parts.iter().map(|part| part.len()).sum();
    let length = u32::try_from(length).unwrap_or(u32::MAX);
    out.extend(Head::Control { kind, flags: 0, length }.encode());
    for part in parts {
        out.extend(*part);
    }
}
