//! Where a pod is in its life, in the API's words.

use crate::model::TargetInfo;

/// A pod's `status.phase`. `Succeeded` and `Failed` are not told apart: the lists of runtimes do not say
/// how a container ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::serve) enum Phase {
    /// Created, and never started.
    Pending,
    /// The sandbox is ready, or the container runs.
    Running,
    /// It has ended.
    Unknown,
}

impl Phase {
    pub(super) fn of(info: &TargetInfo) -> Self {
        // The words of the runtimes: `created` of Docker, `Created` of Podman's pods, `configured` and
        // `initialized` of Podman's containers.
        let is_new = ["created", "configured", "initialized"]
            .iter()
            .any(|state| info.state.eq_ignore_ascii_case(state));
        match (info.is_running, is_new) {
            (true, _) => Self::Running,
            (false, true) => Self::Pending,
            (false, false) => Self::Unknown,
        }
    }

    /// The API's word.
    pub(in crate::serve) fn word(self) -> &'static str {
        match self {
            Self::Pending => "Pending",
            Self::Running => "Running",
            Self::Unknown => "Unknown",
        }
    }
}
