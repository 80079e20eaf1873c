//! `pfsnoop demo --kubectl`: the demo's pod, served to the real kubectl.

mod folder;
mod pod_runtime;
mod port_forward;
mod program;
mod scenario;
mod seen;
mod use_kubectl;

pub(super) use program::Kubectl;
pub(super) use scenario::serve_to;
