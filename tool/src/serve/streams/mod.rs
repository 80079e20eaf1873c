//! The streams of port-forward clients, in the three transports that clients use: SPDY/3.1, the same
//! inside a WebSocket, and WebSocket channels. Each ends in [`PortRequest`]s.

mod answer;
mod backlog;
mod copy_out;
mod data_stream;
mod error;
mod inflow;
mod limits;
mod open_streams;
mod outbox;
mod pair_frames;
mod pump;
mod read_buffer;
mod request;
pub mod spdy;
mod waiting;
pub mod websocket;
mod writer;

pub use answer::Answer;
pub use error::StreamsError;
pub use request::PortRequest;
pub use spdy::serve_spdy;
pub use websocket::{ChannelEncoding, MAX_PORTS, serve_channels, serve_tunnel};
