//! The pods that clients see: what this node's runtimes list, as Kubernetes would show it.

mod counts;
mod group;
mod phase;
mod pod;
mod source;

pub use counts::PodCounts;
pub(super) use pod::ServedPod;
pub(super) use source::PodSource;

#[cfg(test)]
pub(super) mod example;
