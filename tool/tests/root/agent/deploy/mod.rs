//! The manifests in `docs/deploy`.

mod objects;
mod rules;
