//! What a client of WebSocket sends: as a tunnel, and as messages of channels.

#![no_main]

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use pfsnoop::serve::streams::ChannelEncoding;
use pfsnoop::serve::streams::websocket::Tunnel;
use tokio::io::{AsyncReadExt, join, sink};
use tokio::runtime::Builder;

fuzz_target!(|input: &[u8]| {
    let message = Bytes::copy_from_slice(input);
    for encoding in [ChannelEncoding::Binary, ChannelEncoding::Base64] {
        if let Some((_, data)) = encoding.decode(message.clone()) {
            assert!(data.len() < input.len());
        }
    }
    let Ok(runtime) = Builder::new_current_thread().build() else { return };
    runtime.block_on(async {
        let mut tunnel = Tunnel::accept(join(input, sink())).await;
        let mut bytes = Vec::new();
        // An error is an answer too.
        let _ = tunnel.read_to_end(&mut bytes).await;
        assert!(bytes.len() < input.len() || input.is_empty());
    });
});
