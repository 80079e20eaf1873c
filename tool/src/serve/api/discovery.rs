//! What the endpoint has, in the plain form of discovery that every client takes.

use hyper::{Response, StatusCode};
use serde_json::{Value, json};

use super::answer::{Body, json as answer};
use super::route::{OTHER_APPS, OTHER_CORE};

/// The version of Kubernetes whose port-forward this endpoint speaks: the first in which kubectl takes
/// the WebSocket by default.
const MINOR: &str = "31";

/// `/version`. Every field is required by kube-rs.
pub(super) fn version() -> Response<Body> {
    answer(
        StatusCode::OK,
        &json!({
            "major": "1",
            "minor": MINOR,
            "gitVersion": format!("v1.{MINOR}.0+pfsnoop-{}", env!("CARGO_PKG_VERSION")),
            "gitCommit": "",
            "gitTreeState": "",
            "buildDate": "1970-01-01T00:00:00Z",
            "goVersion": "",
            "compiler": "rustc",
            "platform": format!("linux/{}", platform()),
        }),
    )
}

/// Go's name for the processor.
fn platform() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    }
}

/// `/api`
pub(super) fn core_versions() -> Response<Body> {
    answer(
        StatusCode::OK,
        &json!({ "kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": [] }),
    )
}

/// `/apis`
pub(super) fn groups() -> Response<Body> {
    let list = json!({ "kind": "APIGroupList", "apiVersion": "v1", "groups": [apps()] });
    answer(StatusCode::OK, &list)
}

/// `/apis/apps`
pub(super) fn apps_group() -> Response<Body> {
    let mut group = apps();
    if let Some(object) = group.as_object_mut() {
        object.insert("kind".to_owned(), json!("APIGroup"));
        object.insert("apiVersion".to_owned(), json!("v1"));
    }
    answer(StatusCode::OK, &group)
}

fn apps() -> Value {
    let version = json!({ "groupVersion": "apps/v1", "version": "v1" });
    json!({ "name": "apps", "versions": [version], "preferredVersion": version })
}

/// `/api/v1`
pub(super) fn core_resources() -> Response<Body> {
    let verbs = json!(["get", "list", "watch"]);
    let mut all = vec![
        json!({
            "name": "namespaces", "singularName": "namespace", "namespaced": false,
            "kind": "Namespace", "verbs": verbs, "shortNames": ["ns"],
        }),
        json!({
            "name": "pods", "singularName": "pod", "namespaced": true,
            "kind": "Pod", "verbs": verbs, "shortNames": ["po"], "categories": ["all"],
        }),
        json!({
            "name": "pods/portforward", "singularName": "", "namespaced": true,
            "kind": "PodPortForwardOptions", "verbs": ["create", "get"],
        }),
    ];
    all.extend(OTHER_CORE.map(other));
    resources("v1", &all)
}

/// `/apis/apps/v1`
pub(super) fn apps_resources() -> Response<Body> {
    resources("apps/v1", &OTHER_APPS.map(other))
}

/// A resource that is listed so that kubectl asks for it, and gets a sentence that says what to use.
fn other(name: &'static str) -> Value {
    let (kind, short) = match name {
        "services" => ("Service", "svc"),
        "replicationcontrollers" => ("ReplicationController", "rc"),
        "deployments" => ("Deployment", "deploy"),
        "replicasets" => ("ReplicaSet", "rs"),
        "statefulsets" => ("StatefulSet", "sts"),
        _ => ("DaemonSet", "ds"),
    };
    json!({
        "name": name, "singularName": kind.to_lowercase(), "namespaced": true,
        "kind": kind, "verbs": ["get", "list"], "shortNames": [short],
    })
}

fn resources(group_version: &str, all: &[Value]) -> Response<Body> {
    let list = json!({
        "kind": "APIResourceList", "apiVersion": "v1",
        "groupVersion": group_version, "resources": all,
    });
    answer(StatusCode::OK, &list)
}
