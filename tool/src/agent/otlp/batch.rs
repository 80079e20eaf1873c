//! The request that exports a batch.

use bytes::Bytes;

use super::messages::{ExportRequest, OfResource, OfScope, Scope};
use super::resource::Resource;

/// What all requests have in common.
#[derive(Clone, Debug)]
pub(super) struct Envelope {
    resource: Resource,
}

impl Envelope {
    pub(super) fn new(resource: Resource) -> Self {
        Self { resource }
    }

    /// The request with these records.
    pub(super) fn around(&self, records: Vec<Bytes>) -> ExportRequest {
        let scope = Scope {
            name: env!("CARGO_PKG_NAME").to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
        };
        let of_scopes = vec![OfScope { scope: Some(scope), records }];
        let resource = Some(self.resource.message());
        ExportRequest { of_resources: vec![OfResource { resource, of_scopes }] }
    }
}
