//! Port-forward in a WebSocket: SPDY in a tunnel (kubectl 1.31 and newer), and channels (clients in other
//! languages).

mod channel_frames;
mod channel_writer;
mod channels;
mod encoding;
mod limits;
mod tunnel;

#[cfg(test)]
mod tests;

pub use channels::serve_channels;
pub use encoding::ChannelEncoding;
pub use limits::MAX_PORTS;
pub use tunnel::{Tunnel, serve_tunnel};
