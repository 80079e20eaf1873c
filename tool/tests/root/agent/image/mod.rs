//! The container image, in real runtimes, as the manifests in `docs/deploy` describe its container.

mod containerd;
mod docker;
