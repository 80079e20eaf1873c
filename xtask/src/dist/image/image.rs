//! The image's archive. It is an image layout (image-spec, image-layout.md) and, for Docker before 25,
//! has the `manifest.json` of `docker save` too. Both name the same blobs.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::Result;
use flate2::{Compression, GzBuilder};
use serde_json::{Value, json};

use super::archive::Archive;
use super::description::{NAME, configuration};
use crate::dist::sha256::sha256;

const INDEX: &str = "application/vnd.oci.image.index.v1+json";
const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const CONFIGURATION: &str = "application/vnd.oci.image.config.v1+json";
const LAYER: &str = "application/vnd.oci.image.layer.v1.tar+gzip";

/// Packs the static binary of `dist`, and nothing else, and returns the archive's path.
pub(in crate::dist) fn build(dist: &Path, architecture: &str) -> Result<PathBuf> {
    let archive = archive(fs::read(dist.join("pfsnoop"))?)?;
    let name = format!("pfsnoop_{}_{architecture}.oci.tar", env!("CARGO_PKG_VERSION"));
    let path = dist.join(name);
    fs::write(&path, archive)?;
    Ok(path)
}

/// The archive of the image with this binary.
fn archive(binary: Vec<u8>) -> Result<Vec<u8>> {
    let mut root = Archive::default();
    root.add("pfsnoop", 0o755, binary);
    let layer = root.bytes()?;
    let configuration = configuration(&sha256(&layer)).to_string();

    let mut image = Archive::default();
    let layer = add_blob(&mut image, LAYER, compressed(&layer)?);
    let configuration = add_blob(&mut image, CONFIGURATION, configuration);
    let path = |blob: &Value| path(blob["digest"].as_str().unwrap_or_default());
    let of_docker = json!([{
        "Config": path(&configuration), "RepoTags": [NAME], "Layers": [path(&layer)],
    }]);
    let manifest = json!({
        "schemaVersion": 2, "mediaType": MANIFEST, "config": configuration, "layers": [layer],
    });
    let mut manifest = add_blob(&mut image, MANIFEST, manifest.to_string());
    manifest["annotations"] = json!({
        "org.opencontainers.image.ref.name": env!("CARGO_PKG_VERSION"),
        // The whole name, for containerd.
        "io.containerd.image.name": NAME,
    });
    let index = json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": [manifest]});
    image.add("index.json", 0o644, index.to_string());
    image.add("manifest.json", 0o644, of_docker.to_string());
    image.add("oci-layout", 0o644, json!({"imageLayoutVersion": "1.0.0"}).to_string());
    image.bytes()
}

/// Adds a blob and returns its descriptor.
fn add_blob(image: &mut Archive, media_type: &str, content: impl Into<Vec<u8>>) -> Value {
    let content = content.into();
    let digest = format!("sha256:{}", sha256(&content));
    let descriptor = json!({"mediaType": media_type, "digest": digest, "size": content.len()});
    image.add(&path(&digest), 0o644, content);
    descriptor
}

/// The path of a blob.
fn path(digest: &str) -> String {
    format!("blobs/{}", digest.replacen(':', "/", 1))
}

fn compressed(layer: &[u8]) -> Result<Vec<u8>> {
    // Without a time and a name in its header.
    let mut encoder = GzBuilder::new().write(Vec::new(), Compression::best());
    encoder.write_all(layer)?;
    encoder.finish().map_err(Into::into)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_binary_makes_the_same_image() {
        let [one, other] = [(); 2].map(|()| archive(b"a program".to_vec()).unwrap());
        assert!(one == other);
        assert!(one != archive(b"another one".to_vec()).unwrap());
    }

    #[test]
    fn each_blob_has_its_hash_as_its_name() {
        let bytes = archive(b"a program".to_vec()).unwrap();
        let mut blobs = 0;
        for entry in tar::Archive::new(&*bytes).entries().unwrap() {
            let mut entry = entry.unwrap();
            let path = entry.path().unwrap().display().to_string();
            let mut content = Vec::new();
            std::io::Read::read_to_end(&mut entry, &mut content).unwrap();
            let Some(name) = path.strip_prefix("blobs/sha256/") else { continue };
            assert_eq!(name, sha256(&content));
            blobs += 1;
        }
        assert_eq!(blobs, 3, "a layer, a configuration, a manifest");
    }
}
