//! The kubeconfig of the stub.

use std::fs;
use std::path::Path;

use anyhow::Result;
use serde_json::json;

/// Writes it for this server. It appears whole.
pub(super) fn write(path: &Path, server: &str, authority: Option<&Path>) -> Result<()> {
    let mut cluster = json!({"server": server});
    if let Some(authority) = authority {
        cluster["certificate-authority"] = json!(authority);
    }
    // JSON is YAML too.
    let config = json!({
        "apiVersion": "v1", "kind": "Config",
        "clusters": [{"name": "stub", "cluster": cluster}],
        // Over TLS, kubectl asks a user who has no token for a name.
        "users": [{"name": "stub", "user": {"token": "stub"}}],
        "contexts": [{"name": "stub", "context": {"cluster": "stub", "user": "stub"}}],
        "current-context": "stub",
    });
    let unfinished = path.with_extension("unfinished");
    fs::write(&unfinished, config.to_string())?;
    Ok(fs::rename(unfinished, path)?)
}
