//! What every object has.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;

use crate::serve::pods::ServedPod;

/// An object's name, and when it came into being.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::serve::api) struct ObjectMeta<'a> {
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    namespace: Option<&'a str>,
    #[serde(skip_serializing_if = "str::is_empty")]
    uid: &'a str,
    /// RFC 3339, in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    creation_timestamp: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    labels: Option<&'a BTreeMap<String, String>>,
}

impl<'a> ObjectMeta<'a> {
    pub(in crate::serve::api) fn of_pod(served: &'a ServedPod) -> Self {
        Self {
            name: &served.pod.name,
            namespace: Some(&served.pod.namespace),
            uid: &served.pod.uid,
            creation_timestamp: served.created().map(in_seconds),
            labels: Some(served.labels()).filter(|labels| !labels.is_empty()),
        }
    }

    pub(in crate::serve::api) fn of_namespace(name: &'a str) -> Self {
        Self { name, namespace: None, uid: "", creation_timestamp: None, labels: None }
    }
}

/// The API's times have no fractions of seconds.
pub(super) fn in_seconds(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// An object of which only the name and the labels are shown (`PartialObjectMetadata`).
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::serve::api) struct PartialObject<'a> {
    kind: &'static str,
    api_version: &'static str,
    metadata: ObjectMeta<'a>,
}

impl<'a> PartialObject<'a> {
    pub(in crate::serve::api) fn new(metadata: ObjectMeta<'a>) -> Self {
        Self { kind: "PartialObjectMetadata", api_version: "meta.k8s.io/v1", metadata }
    }
}
