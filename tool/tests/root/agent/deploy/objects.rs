//! The objects that `kubectl apply -k docs/deploy` makes.

use std::collections::BTreeSet;

use k8s_openapi::api::apps::v1::DaemonSet;
use k8s_openapi::api::core::v1::{ConfigMap, Namespace, ServiceAccount};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::support::kustomize::{deploy, kustomize, of_kind};

/// A field that the type does not know, or whose value it does not take, does not come back.
fn assert_is<T: DeserializeOwned + Serialize>(object: &Value) {
    let read: T = serde_json::from_value(object.clone()).unwrap();
    assert_eq!(&serde_json::to_value(&read).unwrap(), object);
}

#[test]
fn every_core_object_has_only_fields_that_kubernetes_knows() {
    let mut kinds = BTreeSet::new();
    for folder in ["", "agent", "older-runtimes", "linux-5.10", "seccomp"] {
        for object in kustomize(folder) {
            let kind = object["kind"].as_str().unwrap().to_owned();
            match &*kind {
                "Namespace" => assert_is::<Namespace>(&object),
                "ServiceAccount" => assert_is::<ServiceAccount>(&object),
                "DaemonSet" => assert_is::<DaemonSet>(&object),
                "ConfigMap" => assert_is::<ConfigMap>(&object),
                // Of the Prometheus Operator.
                "PodMonitor" | "PrometheusRule" => {
                    assert_eq!(object["apiVersion"], "monitoring.coreos.com/v1");
                }
                other => panic!("an object of another kind: {other}"),
            }
            kinds.insert(kind);
        }
    }
    assert_eq!(kinds.len(), 6, "{kinds:?}");
}

#[test]
fn the_agent_has_no_privileges_but_its_capabilities() {
    let daemon_set = of_kind(&kustomize(""), "DaemonSet");
    let pod = &daemon_set["spec"]["template"]["spec"];
    let security = &pod["containers"][0]["securityContext"];
    assert_eq!(security["capabilities"]["drop"], serde_json::json!(["ALL"]));
    assert_eq!(security["privileged"], Value::Null);
    assert_eq!(security["readOnlyRootFilesystem"], true);
    assert_eq!(pod["automountServiceAccountToken"], false);
    assert_eq!(pod["hostNetwork"], Value::Null);
    let writable = pod["containers"][0]["volumeMounts"].as_array().unwrap().iter();
    let writable: Vec<_> = writable.filter(|mount| mount["readOnly"] != true).collect();
    assert_eq!(writable.len(), 1, "only the store: {writable:#?}");
    assert_eq!(writable[0]["mountPath"], "/var/lib/pfsnoop");
}

#[test]
fn the_image_is_the_version_that_is_built() {
    let daemon_set = of_kind(&kustomize("agent"), "DaemonSet");
    let image = &daemon_set["spec"]["template"]["spec"]["containers"][0]["image"];
    assert_eq!(image, concat!("localhost/pfsnoop:", env!("CARGO_PKG_VERSION")));
}

#[test]
fn the_pod_monitor_scrapes_the_port_of_the_agent() {
    let objects = kustomize("");
    let pod = &of_kind(&objects, "DaemonSet")["spec"]["template"];
    let monitor = &of_kind(&objects, "PodMonitor")["spec"];
    assert_eq!(monitor["selector"]["matchLabels"], pod["metadata"]["labels"]);
    let endpoint = &monitor["podMetricsEndpoints"][0];
    assert_eq!(endpoint["port"], pod["spec"]["containers"][0]["ports"][0]["name"]);
    let job = monitor["jobLabel"].as_str().unwrap();
    assert_eq!(pod["metadata"]["labels"][job], "pfsnoop-agent", "as the rules select it");
}

#[test]
fn the_seccomp_profile_allows_bpf_and_no_way_out_of_the_container() {
    let text = std::fs::read_to_string(deploy().join("seccomp/pfsnoop-agent.json")).unwrap();
    let profile: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(profile["defaultAction"], "SCMP_ACT_ERRNO");
    let names = profile["syscalls"][0]["names"].as_array().unwrap();
    let allows = |name: &str| names.iter().any(|one| one == name);
    assert!(allows("bpf"));
    for call in ["mount", "setns", "unshare", "ptrace", "init_module", "kexec_load", "clone"] {
        assert!(!allows(call), "{call}");
    }
}
