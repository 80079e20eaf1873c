//! The manifests in `docs/deploy`.

mod objects;
mod openapi;
mod rules;
