//! Calls of the API, with the token.

use hyper::header::{ACCEPT, HeaderValue};
use serde_json::Value;

use super::client::Client;
use super::running::Running;
use crate::serve::EndpointLimits;

fn names(list: &Value) -> Vec<&str> {
    let items = list["items"].as_array().unwrap();
    items.iter().map(|item| item["metadata"]["name"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn discovery_has_pods_and_what_leads_to_a_sentence() {
    let running = Running::start();
    let client = running.client();
    for path in ["/version", "/api", "/apis", "/apis/apps"] {
        assert_eq!(client.json(path).await.0, 200, "{path}");
    }
    let (_, core) = client.json("/api/v1?timeout=32s").await;
    let all = core["resources"].as_array().unwrap();
    let find = |name: &str| all.iter().find(|one| one["name"] == name).unwrap();
    assert_eq!(find("pods")["shortNames"][0], "po");
    assert_eq!(find("pods/portforward")["verbs"][0], "create");
    assert_eq!(find("services")["shortNames"][0], "svc");
    let (_, apps) = client.json("/apis/apps/v1").await;
    assert_eq!(apps["resources"][0]["name"], "deployments");
    running.end().await;
}

#[tokio::test]
async fn pods_are_listed_and_selected() {
    let running = Running::start();
    let client = running.client();
    for (path, expected) in [
        ("/api/v1/pods?limit=500", &["old", "web", "kuard"][..]),
        ("/api/v1/namespaces/shop/pods", &["kuard"]),
        ("/api/v1/namespaces/none/pods", &[]),
        ("/api/v1/pods?labelSelector=app%3Dkuard", &["kuard"]),
        ("/api/v1/pods?labelSelector=app+notin+(kuard)", &["old", "web"]),
        ("/api/v1/pods?fieldSelector=status.phase%3DRunning", &["web", "kuard"]),
        ("/api/v1/namespaces", &["docker", "shop"]),
    ] {
        let (status, list) = client.json(path).await;
        assert_eq!((status, &names(&list)[..]), (200, expected), "{path}");
    }
    let (_, pod) = client.json("/api/v1/namespaces/docker/pods/web").await;
    assert_eq!(pod["spec"]["containers"][0]["ports"][0]["containerPort"], 80);
    assert_eq!(pod["metadata"]["labels"]["tier"], "front");
    let (_, pod) = client.json("/api/v1/namespaces/shop/pods/kuard").await;
    assert_eq!(pod["spec"]["containers"][0]["name"], "web");
    assert_eq!(pod["metadata"]["uid"], "8765-43");
    assert!(pod["metadata"]["labels"].get("io.kubernetes.pod.name").is_none());
    running.end().await;
}

#[tokio::test]
async fn a_table_has_the_columns_of_kubectl() {
    let running = Running::start();
    let client = running.client();
    let mut request = client.request("GET", "/api/v1/namespaces/shop/pods?limit=500");
    let table = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json";
    request.headers_mut().insert(ACCEPT, HeaderValue::from_static(table));
    let (status, body) = client.send(request).await;
    let table: Value = serde_json::from_str(&body).unwrap();
    assert_eq!((status, &table["kind"]), (200, &Value::from("Table")));
    let columns = table["columnDefinitions"].as_array().unwrap();
    let titles: Vec<_> = columns.iter().map(|one| one["name"].as_str().unwrap()).collect();
    assert_eq!(titles, ["Name", "Status", "Listens", "Node", "Age", "IP", "Runtime"]);
    assert_eq!(table["rows"][0]["cells"][0], "kuard");
    assert_eq!(table["rows"][0]["object"]["metadata"]["namespace"], "shop");
    running.end().await;
}

#[tokio::test]
async fn errors_are_those_of_an_api_server() {
    let running = Running::start();
    let client = running.client();
    for (method, path, status, reason, message) in [
        ("GET", "/api/v1/namespaces/shop/pods/x", 404, "NotFound", "pods \"x\" not found"),
        ("GET", "/api/v1/nodes", 404, "NotFound", "could not find the requested resource"),
        ("GET", "/api/v1/namespaces/shop/services/x", 404, "NotFound", "port-forward pod/NAME"),
        ("GET", "/apis/apps/v1/deployments", 404, "NotFound", "no deployments: use"),
        ("POST", "/api/v1/namespaces/shop/pods/kuard/exec", 404, "NotFound", "\"exec\""),
        ("DELETE", "/api/v1/namespaces/shop/pods/kuard", 405, "MethodNotAllowed", "does not allow"),
        ("GET", "/api/v1/pods?fieldSelector=a%3Db", 400, "BadRequest", "field label not supported"),
        ("POST", "/api/v1/namespaces/shop/pods/x/portforward", 404, "NotFound", "not found"),
        ("POST", "/api/v1/namespaces/shop/pods/kuard/portforward", 400, "BadRequest", "upgrade"),
        (
            "POST",
            "/api/v1/namespaces/docker/pods/old/portforward",
            400,
            "BadRequest",
            "pod is not running. Current status=Unknown",
        ),
    ] {
        let (code, body) = client.send(client.request(method, path)).await;
        let object: Value = serde_json::from_str(&body).unwrap();
        let found = (code, object["reason"].as_str().unwrap(), object["code"].as_u64().unwrap());
        assert_eq!(found, (status, reason, status.into()), "{method} {path}");
        assert_eq!((&object["kind"], &object["status"]), (&"Status".into(), &"Failure".into()));
        assert!(object["message"].as_str().unwrap().contains(message), "{object}");
    }
    running.end().await;
}

/// kubectl 1.20 prints nothing else of the answer to a watch.
#[tokio::test]
async fn a_watch_is_answered_with_a_sentence() {
    let running = Running::start();
    let client = running.client();
    let (code, body) = client.send(client.request("GET", "/api/v1/pods?watch=true")).await;
    assert_eq!(code, 406);
    assert!(body.starts_with("pfsnoop serve lists pods and does not watch them: "), "{body}");
    running.end().await;
}

#[tokio::test]
async fn only_allowed_pods_are_seen_and_reached() {
    let running = Running::start_with(EndpointLimits::default(), &["shop/ku*"]);
    let client = running.client();
    let (_, list) = client.json("/api/v1/pods").await;
    assert_eq!(names(&list), ["kuard"]);
    let forbidden = async |client: &Client, method, path| {
        let (status, body) = client.send(client.request(method, path)).await;
        assert_eq!(status, 403, "{path}: {body}");
        assert!(body.contains("pods \\\"web\\\" is forbidden"), "{body}");
    };
    forbidden(&client, "GET", "/api/v1/namespaces/docker/pods/web").await;
    forbidden(&client, "POST", "/api/v1/namespaces/docker/pods/web/portforward").await;
    running.end().await;
}

#[tokio::test]
async fn many_requests_do_not_ask_the_runtime_many_times() {
    let running = Running::start();
    let client = running.client();
    for _ in 0..20 {
        assert_eq!(client.get("/api/v1/namespaces").await.0, 200);
    }
    assert!(running.docker.lists() <= 2, "{}", running.docker.lists());
    running.end().await;
}
