//! Parses the answers of runtimes from bytes, for the fuzz targets (`tool/fuzz`).

use std::net::IpAddr;

use super::client::Names;
use super::registry::{cri, docker, podman};
use crate::model::TargetInfo;

/// Docker's list of containers (`/containers/json`). `None` if it is no list.
#[must_use]
pub fn docker_list(answer: &[u8]) -> Option<Vec<TargetInfo>> {
    docker::targets_in(answer).ok().map(|(all, _)| all)
}

/// Docker's answer about one container (`/containers/ID/json`): its names and its addresses.
#[must_use]
pub fn docker_container(answer: &[u8]) -> Option<(Names, Vec<IpAddr>)> {
    docker::place_in(answer).ok()
}

/// Podman's lists of pods and of containers.
#[must_use]
pub fn podman_lists(pods: &[u8], containers: &[u8]) -> Option<Vec<TargetInfo>> {
    podman::targets_in(pods, containers).ok().map(|(all, _)| all)
}

/// CRI's `ListPodSandboxResponse` and `ListContainersResponse`.
#[must_use]
pub fn cri_lists(sandboxes: &[u8], containers: &[u8]) -> Option<Vec<TargetInfo>> {
    cri::targets_in(sandboxes, containers).ok().map(|(all, _)| all)
}

/// The pid in CRI's `PodSandboxStatusResponse`.
#[must_use]
pub fn cri_status(answer: &[u8]) -> Option<u32> {
    cri::pid_in(answer).ok().flatten()
}

/// The pid in the JSON text that a runtime puts into the `info` of a status.
#[must_use]
pub fn cri_info(text: &str) -> Option<u32> {
    cri::pid_in_info(text)
}
