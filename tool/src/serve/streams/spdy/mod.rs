//! SPDY/3.1, as kubectl and client-go speak it: draft-mbelshe-httpbis-spdy-00, without flow control.

mod connection;
mod decoder;
mod dictionary;
mod encode;
mod error;
mod event;
mod frame;
mod headers;
mod inflate;
mod limits;
mod pairs;
mod serve;
mod spdy_frames;

#[cfg(test)]
mod tests;

pub use decoder::Decoder;
pub use error::SpdyError;
pub use event::Event;
pub use headers::Headers;
pub use serve::serve_spdy;
#[cfg(test)]
pub(super) use tests::client;
