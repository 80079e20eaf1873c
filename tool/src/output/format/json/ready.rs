//! Records about pfsnoop itself: ready, listening, lost.

use std::net::IpAddr;
use std::os::unix::ffi::OsStrExt as _;

use serde::Serialize;

use super::text::text;
use super::value::rfc3339;
use crate::host::clock;
use crate::model;

#[derive(Serialize)]
pub(super) struct Ready {
    r#type: &'static str,
    time: String,
    version: &'static str,
    command: &'static str,
}

pub(super) fn ready(ready: &model::Ready) -> Ready {
    let (time, version) = (rfc3339(ready.time_ns), env!("CARGO_PKG_VERSION"));
    Ready { r#type: "ready", time, version, command: ready.command }
}

#[derive(Serialize)]
pub(super) struct Listening {
    r#type: &'static str,
    time: String,
    address: IpAddr,
    port: u16,
    target_port: u16,
    protocol: &'static str,
}

pub(super) fn listening(listening: &model::Listening) -> Listening {
    Listening {
        r#type: "listening",
        time: rfc3339(listening.time_ns),
        address: listening.address.ip(),
        port: listening.address.port(),
        target_port: listening.target_port,
        protocol: "tcp",
    }
}

#[derive(Serialize)]
pub(super) struct Serving<'a> {
    r#type: &'static str,
    time: String,
    address: IpAddr,
    port: u16,
    kubeconfig: String,
    pods: usize,
    containers: usize,
    runtimes: &'a [&'static str],
}

pub(super) fn serving(serving: &model::Serving) -> Serving<'_> {
    Serving {
        r#type: "serving",
        time: rfc3339(serving.time_ns),
        address: serving.address.ip(),
        port: serving.address.port(),
        kubeconfig: text(serving.kubeconfig.as_os_str().as_bytes()),
        pods: serving.pods,
        containers: serving.containers,
        runtimes: &serving.runtimes,
    }
}

#[derive(Serialize)]
pub(super) struct Lost {
    r#type: &'static str,
    time: String,
    events: u64,
    total: u64,
}

pub(super) fn lost(model::Lost { events, total, .. }: model::Lost) -> Lost {
    Lost { r#type: "lost", time: rfc3339(clock::boottime_ns()), events, total }
}
