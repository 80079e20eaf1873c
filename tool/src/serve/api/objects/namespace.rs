//! A namespace.

use serde::Serialize;

use super::meta::ObjectMeta;

/// A namespace. It exists as long as it has pods.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::serve::api) struct Namespace<'a> {
    kind: &'static str,
    api_version: &'static str,
    metadata: ObjectMeta<'a>,
    status: NamespaceStatus,
}

#[derive(Debug, Serialize)]
struct NamespaceStatus {
    phase: &'static str,
}

impl<'a> Namespace<'a> {
    pub(in crate::serve::api) fn named(name: &'a str) -> Self {
        Self {
            kind: "Namespace",
            api_version: "v1",
            metadata: ObjectMeta::of_namespace(name),
            status: NamespaceStatus { phase: "Active" },
        }
    }
}
