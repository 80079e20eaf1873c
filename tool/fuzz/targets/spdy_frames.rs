//! What a client of SPDY sends, in pieces.

#![no_main]

use libfuzzer_sys::fuzz_target;
use pfsnoop::serve::streams::spdy::{Decoder, Event};

/// The longest frame that is held as a whole, bytes: a stream's headers.
const MAX_HELD: usize = 8 + 10 + 16 * 1024;

fuzz_target!(|pieces: Vec<&[u8]>| {
    let mut decoder = Decoder::new();
    let mut held = Vec::new();
    for piece in pieces {
        held.extend(piece);
        loop {
            let Ok((length, event)) = decoder.decode(&held) else { return };
            let is_all = event.is_none();
            if let Some(Event::Data { bytes, is_last, .. }) = event {
                assert!(is_last || !bytes.is_empty());
                assert!(bytes.len() <= length);
            }
            held.drain(..length);
            if is_all {
                break;
            }
        }
        assert!(held.len() <= MAX_HELD);
    }
});
