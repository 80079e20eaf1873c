//! The container image: one archive that Docker, Podman and containerd load.

mod archive;
mod description;
mod image;

pub(super) use image::build;
