//! CRI's answers from their bytes.

use prost::{DecodeError, Message as _};

use super::entries::Entries;
use super::info::Info;
use super::listing::join;
use super::messages::{Container, PodSandbox, PodSandboxStatusResponse};
use crate::model::TargetInfo;

/// The sandboxes and containers in two answers, and how many entries cannot be read.
pub(in crate::runtime) fn targets_in(
    sandboxes: &[u8],
    containers: &[u8],
) -> Result<(Vec<TargetInfo>, usize), DecodeError> {
    let sandboxes = Entries::<PodSandbox>::decode(sandboxes)?;
    let containers = Entries::<Container>::decode(containers)?;
    let skipped = sandboxes.skipped + containers.skipped;
    Ok((join(sandboxes.list, containers.list), skipped))
}

/// The pid in the answer with the status of a sandbox.
pub(in crate::runtime) fn pid_in(status: &[u8]) -> Result<Option<u32>, DecodeError> {
    let answer = PodSandboxStatusResponse::decode(status)?;
    Ok(Info::of(&answer.info).pid)
}

/// The pid in a text of `info`.
pub(in crate::runtime) fn pid_in_info(text: &str) -> Option<u32> {
    Info::read(text).pid
}
