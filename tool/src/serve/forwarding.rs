//! Forwards the streams of clients: joins the endpoint, the streams and the forwarder.

use std::sync::Arc;

use tokio::sync::mpsc;
use tokio::sync::mpsc::Receiver;

use super::on_failure::OnFailure;
use super::pod_target::PodTarget;
use super::streams::{
    Answer, ChannelEncoding, PortRequest, StreamsError, serve_channels, serve_spdy, serve_tunnel,
};
use super::upgraded::{StreamProtocol, UpgradeHandler, UpgradedClient};
use crate::forward::{StreamEnd, StreamForwarder};
use crate::model::{Client, Transport};
use crate::runtime::Runtimes;

/// How many ports a client may ask for before the first of them is looked up.
const MAX_WAITING: usize = 16;

/// Forwards the streams of clients.
pub struct Forwarding {
    /// What dials and relays.
    pub forwarder: StreamForwarder,
    /// The runtimes that know the names of a pod's owner.
    pub runtimes: Runtimes,
    /// What a client learns of a failure.
    pub on_failure: OnFailure,
}

impl UpgradeHandler for Forwarding {
    async fn serve(&self, client: UpgradedClient) {
        let UpgradedClient { io, protocol, pod, entry, address, user_agent, ending } = client;
        let transport = transport_of(&protocol);
        let client = Arc::new(Client { address, user_agent, transport });
        let mut target = PodTarget::new(entry, pod, self.runtimes.clone(), Arc::clone(&client));
        let (requests, asked) = mpsc::channel(MAX_WAITING);
        let streams = async {
            match protocol {
                StreamProtocol::Spdy => serve_spdy(io, ending, requests).await,
                StreamProtocol::SpdyOverWebSocket => serve_tunnel(io, ending, requests).await,
                StreamProtocol::Channels { is_base64, ports } => {
                    let encoding = encoding(is_base64);
                    serve_channels(io, encoding, &ports, ending, requests).await
                }
            }
        };
        let (ended, ()) = tokio::join!(streams, self.forward_all(asked, &mut target));
        note(ended, &client);
    }
}

impl Forwarding {
    async fn forward_all(&self, mut asked: Receiver<PortRequest>, target: &mut PodTarget) {
        while let Some(PortRequest { port, stream, gone, answer }) = asked.recv().await {
            let to = match target.now(port).await {
                Ok(to) => to,
                Err(missing) => {
                    drop(stream);
                    tell(self.forwarder.fail(missing).await, answer, self.on_failure);
                    continue;
                }
            };
            let on_failure = self.on_failure;
            self.forwarder.serve(to, stream, gone, move |end| tell(end, answer, on_failure));
        }
    }
}

/// Has the client learn how its stream ended.
fn tell(end: StreamEnd, answer: Answer, on_failure: OnFailure) {
    match end {
        StreamEnd::Complete => answer.finish(),
        StreamEnd::Failed(why) if on_failure == OnFailure::Report => answer.fail(why),
        StreamEnd::Failed(_) | StreamEnd::Reset => answer.reset(),
    }
}

fn transport_of(protocol: &StreamProtocol) -> Transport {
    match protocol {
        StreamProtocol::Spdy => Transport::Spdy,
        StreamProtocol::SpdyOverWebSocket => Transport::SpdyOverWebSocket,
        StreamProtocol::Channels { .. } => Transport::WebSocket,
    }
}

fn encoding(is_base64: bool) -> ChannelEncoding {
    if is_base64 { ChannelEncoding::Base64 } else { ChannelEncoding::Binary }
}

/// A client that breaks the protocol is its own fault. The endpoint goes on.
fn note(ended: Result<(), StreamsError>, client: &Client) {
    if let Err(error) = ended {
        log::debug!("the connection of {} has ended: {error}", client.address);
    }
}
