//! 100 MiB each way, with checksums.

use super::super::endpoint::{PODS, page};
use super::client::CLIENTS;
use super::everything::endpoints;
use super::site::{SITE, add_big, pods, upload};

/// Each client to each runtime, and by each dialer: of the two dialers for each runtime, every other client
/// takes the other one. All four ways of every client would take minutes.
#[test]
fn every_client_transfers_100_mib_each_way() {
    let pods = pods("serve-transfers");
    let (big, sum) = add_big(&pods);
    let endpoints = endpoints(&pods);
    for (number, client) in CLIENTS.iter().enumerate() {
        for (pod, dialer) in PODS.into_iter().zip([number % 2, (number + 1) % 2]) {
            let name = format!("{}, {}, {pod:?}", client.name, ["nsenter", "native"][dialer]);
            let (_forward, ports) = client.forward(&endpoints[dialer], pod, None, &[SITE]);
            let received = page(ports[0], "big");
            assert!(received == big, "{name}: the download, {} bytes", received.len());
            assert_eq!(upload(ports[0], &big), sum, "{name}: the upload");
        }
    }
}
