//! Every check of every client, with each runtime and each dialer.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread;

use super::super::endpoint::{Endpoint, PODS, Pods, wait_for_servers};
use super::checks::{CHECKS, Case};
use super::client::CLIENTS;
use super::site::{add_big, pods};

/// An endpoint for each dialer, once the pods can be reached.
pub fn endpoints(pods: &Pods) -> [Endpoint; 2] {
    ["nsenter", "native"].map(|dialer| {
        let endpoint = pods.serve(&["--dialer", dialer]);
        wait_for_servers(&endpoint);
        endpoint
    })
}

#[test]
fn every_client_forwards_to_each_runtime_by_each_dialer() {
    let pods = pods("serve-clients");
    add_big(&pods);
    let endpoints = endpoints(&pods);
    thread::scope(|scope| {
        for (endpoint, dialer) in endpoints.iter().zip(["nsenter", "native"]) {
            for pod in PODS {
                scope.spawn(move || check_all(endpoint, dialer, pod));
            }
        }
    });
    endpoints.into_iter().for_each(Endpoint::end);
}

fn check_all(endpoint: &Endpoint, dialer: &str, pod: (&str, &str)) {
    for client in CLIENTS {
        let mut case = Case::start(client, endpoint, pod);
        for (what, check) in CHECKS {
            let result = catch_unwind(AssertUnwindSafe(|| check(&mut case)));
            assert!(result.is_ok(), "{}, {dialer}, {pod:?}: {what}", client.name);
        }
    }
}
