//! What an image says of itself.

use serde_json::{Value, json};

/// The image's name. A name in `localhost` is in no registry: a node without the image cannot pull
/// somebody else's.
pub(super) const NAME: &str = concat!("localhost/pfsnoop:", env!("CARGO_PKG_VERSION"));

/// No time is part of the image: the same binary always makes the same image.
const CREATED: &str = "1970-01-01T00:00:00Z";

/// The configuration of the image whose only layer has this hash when it is unpacked
/// (image-spec, config.md).
pub(super) fn configuration(layer: &str) -> Value {
    json!({
        "created": CREATED,
        "architecture": architecture(),
        "os": "linux",
        "config": {
            "Entrypoint": ["/pfsnoop"],
            "Cmd": ["agent"],
            "Labels": labels(),
        },
        "rootfs": {"type": "layers", "diff_ids": [format!("sha256:{layer}")]},
        "history": [{"created": CREATED, "created_by": "cargo xtask dist"}],
    })
}

/// Go's name for the architecture of this build.
fn architecture() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    }
}

/// The keys that annotations.md of image-spec defines.
fn labels() -> Value {
    json!({
        "org.opencontainers.image.title": "pfsnoop",
        "org.opencontainers.image.description": "Watches every kubectl port-forward on a node",
        "org.opencontainers.image.version": env!("CARGO_PKG_VERSION"),
        "org.opencontainers.image.licenses": env!("CARGO_PKG_LICENSE"),
        "org.opencontainers.image.source": env!("CARGO_PKG_REPOSITORY"),
    })
}
