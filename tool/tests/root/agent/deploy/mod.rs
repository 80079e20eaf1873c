//! The manifests in `docs/deploy`.

mod firing;
mod objects;
mod openapi;
mod rules;
