//! Test connections: made, and closed without any data.

use std::io;
use std::net::IpAddr;
use std::time::Duration;

use tokio::time::timeout;

use super::Failure;
use super::dial::{Connection, Dialer};
use crate::target::Target;

/// How long connecting may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Connects to a port of the target and closes the connection. Returns the address that answered,
/// if the dialer knows it. The server sees a client that leaves at once.
pub async fn attempt(
    dialer: &dyn Dialer,
    target: &Target,
    port: u16,
) -> Result<Option<IpAddr>, Failure> {
    let connect = async {
        let Connection { duplex, address, helper, .. } = dialer.dial(target, port).await?;
        let outcome = match helper {
            Some(helper) => helper.connected().await,
            None => Ok(()),
        };
        // Not earlier: socat exits when its stdin ends.
        drop(duplex);
        outcome.map(|()| address)
    };
    let timed_out =
        || Failure::NotConnected { port, source: io::Error::from(io::ErrorKind::TimedOut) };
    timeout(CONNECT_TIMEOUT, connect).await.unwrap_or_else(|_| Err(timed_out()))
}
