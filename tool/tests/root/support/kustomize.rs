//! The manifests in `docs/deploy`.

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::parts::kubectl;
use crate::common::{stdout_of, system};

/// The folder `docs/deploy`.
pub fn deploy() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join("docs/deploy")
}

/// The objects that `kubectl kustomize docs/deploy/FOLDER` prints.
pub fn kustomize(folder: &str) -> Vec<Value> {
    let program = kubectl("forky");
    let mut kubectl = system(program.to_str().unwrap());
    let text = stdout_of(kubectl.arg("kustomize").arg(deploy().join(folder)));
    serde_saphyr::from_multiple(&text).unwrap()
}

/// The only object of this kind.
pub fn of_kind(objects: &[Value], kind: &str) -> Value {
    let found: Vec<&Value> = objects.iter().filter(|object| object["kind"] == kind).collect();
    let [object] = found[..] else { panic!("one {kind}, not {found:#?}") };
    object.clone()
}
