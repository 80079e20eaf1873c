//! The doctor's test connections: made, with limits of time, and closed without any data.

use std::io;
use std::net::IpAddr;
use std::time::{Duration, Instant};

use tokio::time::timeout;

use super::Failure;
use super::dial::{Connection, Dialer};
use crate::target::Target;

/// How long dialing may take.
const DIAL_TIMEOUT: Duration = Duration::from_secs(5);

/// How long a helper that runs may take to connect. One that gets no answer has ended before that.
const HELPER_TIMEOUT: Duration = Duration::from_secs(8);

/// Connects to a port of the target and closes the connection. Returns the address that answered,
/// if the dialer knows it, and how long connecting took. The server sees a client that leaves at
/// once.
pub async fn test_connection(
    dialer: &dyn Dialer,
    target: &Target,
    port: u16,
) -> (Result<Option<IpAddr>, Failure>, Duration) {
    let start = Instant::now();
    let timed_out =
        |_| Failure::NotConnected { port, first: None, source: io::ErrorKind::TimedOut.into() };
    let connect = async {
        let dialed = timeout(DIAL_TIMEOUT, dialer.dial(target, port)).await;
        let Connection { duplex, address, helper, .. } = dialed.map_err(timed_out)??;
        let helper = match helper {
            Some(helper) => {
                timeout(HELPER_TIMEOUT, helper.connected()).await.map_err(timed_out)??
            }
            None => None,
        };
        Ok((duplex, address, helper))
    };
    let result = connect.await;
    let took = start.elapsed();
    let result = match result {
        Ok((duplex, address, helper)) => {
            if let Some(helper) = helper {
                helper.leave(duplex).await;
            }
            Ok(address)
        }
        Err(failure) => Err(failure),
    };
    (result, took)
}
