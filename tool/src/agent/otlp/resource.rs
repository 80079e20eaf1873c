//! What the records are from: this program on this node.

use super::messages::{KeyValue, Resource as Message};
use super::variables::{Variables, pairs};
use crate::host::node::node_name;

/// The attributes of the resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resource {
    attributes: Vec<(String, String)>,
}

impl Resource {
    /// `OTEL_RESOURCE_ATTRIBUTES` and `OTEL_SERVICE_NAME` win over what pfsnoop finds by itself, as in
    /// the specification of the SDKs. `node` is the node's name in Kubernetes.
    pub(super) fn new(node: &str, variables: &Variables<'_>) -> Self {
        let own = [
            ("service.name", env!("CARGO_PKG_NAME").to_owned()),
            ("service.version", env!("CARGO_PKG_VERSION").to_owned()),
            ("host.name", node_name()),
            ("k8s.node.name", node.to_owned()),
        ];
        let mut resource = Self { attributes: Vec::new() };
        for (key, value) in own {
            resource.set(key, value);
        }
        let given = variables.get("OTEL_RESOURCE_ATTRIBUTES").unwrap_or_default();
        for (key, value) in pairs(&given) {
            resource.set(&key, value);
        }
        if let Some(name) = variables.get("OTEL_SERVICE_NAME") {
            resource.set("service.name", name);
        }
        resource
    }

    fn set(&mut self, key: &str, value: String) {
        self.attributes.retain(|(known, _)| known != key);
        self.attributes.push((key.to_owned(), value));
    }

    pub(super) fn message(&self) -> Message {
        let one = |(key, value): &(String, String)| KeyValue::text(key, value.clone());
        Message { attributes: self.attributes.iter().map(one).collect() }
    }
}
