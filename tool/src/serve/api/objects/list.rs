//! A list of objects.

use jiff::Timestamp;
use serde::Serialize;

/// A list, such as a `PodList`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::serve::api) struct List<T> {
    kind: &'static str,
    api_version: &'static str,
    metadata: ListMeta,
    items: Vec<T>,
}

impl<T> List<T> {
    pub(in crate::serve::api) fn new(
        kind: &'static str,
        metadata: ListMeta,
        items: Vec<T>,
    ) -> Self {
        Self { kind, api_version: "v1", metadata, items }
    }
}

/// A list's own data.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::serve::api) struct ListMeta {
    /// Grows with time. Clients may only compare two of them.
    resource_version: String,
}

impl ListMeta {
    /// Of a list that was read at this time.
    pub(in crate::serve::api) fn of(time: Timestamp) -> Self {
        Self { resource_version: time.as_millisecond().to_string() }
    }
}
