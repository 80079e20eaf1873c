//! What kubectl asks before it forwards.

use serde_json::{Value, json};

use crate::bench::serve::containerd::{NAME, NAMESPACE};

/// The whole answer to a GET.
pub(super) fn answer(path: &str) -> Vec<u8> {
    let pod = format!("/api/v1/namespaces/{NAMESPACE}/pods/{NAME}");
    let (status, body) = match path {
        "/version" => ("200 OK", json!({"major": "1", "minor": "31", "gitVersion": "v1.31.0"})),
        "/api" => ("200 OK", json!({"kind": "APIVersions", "versions": ["v1"]})),
        "/apis" => ("200 OK", json!({"kind": "APIGroupList", "apiVersion": "v1", "groups": []})),
        "/api/v1" => ("200 OK", resources()),
        path if path == pod => ("200 OK", the_pod()),
        // What a server answers that has no WebSocket here. kubectl then takes SPDY.
        path if path == format!("{pod}/portforward") => failure(400, "Bad Request", "BadRequest"),
        _ => failure(404, "Not Found", "NotFound"),
    };
    let body = body.to_string();
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    (head + &body).into_bytes()
}

fn failure(code: u16, words: &'static str, reason: &str) -> (&'static str, Value) {
    let status = if code == 400 { "400 Bad Request" } else { "404 Not Found" };
    let body = json!({
        "kind": "Status", "apiVersion": "v1", "status": "Failure",
        "message": words, "reason": reason, "code": code,
    });
    (status, body)
}

fn resources() -> Value {
    let resource = |name: &str, kind: &str| {
        json!({
            "name": name, "singularName": "", "namespaced": true, "kind": kind,
            "verbs": ["get", "create"],
        })
    };
    let all = [resource("pods", "Pod"), resource("pods/portforward", "PodPortForwardOptions")];
    json!({"kind": "APIResourceList", "groupVersion": "v1", "resources": all})
}

fn the_pod() -> Value {
    json!({
        "kind": "Pod", "apiVersion": "v1",
        "metadata": {"name": NAME, "namespace": NAMESPACE, "uid": "1"},
        "spec": {"containers": [{"name": "web", "image": "busybox"}]},
        "status": {"phase": "Running"},
    })
}
