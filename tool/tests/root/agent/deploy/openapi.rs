//! The core objects, by the OpenAPI document of a real kube-apiserver.

use jsonschema::Validator;
use serde_json::{Value, json};

use crate::support::kustomize::kustomize;
use crate::support::parts::openapi;

/// The definitions of the document. An object may have no other keys than those of its definition, as the
/// API server demands of `kubectl apply`.
fn definitions() -> Value {
    let text = std::fs::read_to_string(openapi()).unwrap();
    let mut document: Value = serde_json::from_str(&text).unwrap();
    let mut definitions = document["definitions"].take();
    for definition in definitions.as_object_mut().unwrap().values_mut() {
        if definition["properties"].is_object() {
            definition["additionalProperties"] = json!(false);
        }
    }
    definitions
}

/// The definition of an object's kind, by its name.
fn name_of<'a>(definitions: &'a Value, object: &Value) -> Option<&'a str> {
    let api_version = object["apiVersion"].as_str().unwrap();
    let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
    let kind = json!([{"group": group, "kind": object["kind"], "version": version}]);
    let all = definitions.as_object().unwrap().iter();
    let mut found = all.filter(|(_, one)| one["x-kubernetes-group-version-kind"] == kind);
    found.next().map(|(name, _)| name.as_str())
}

fn validator(definitions: &Value, name: &str) -> Validator {
    let schema = json!({
        "$schema": "http://json-schema.org/draft-07/schema#",
        "allOf": [{"$ref": format!("#/definitions/{name}")}],
        "definitions": definitions,
    });
    jsonschema::validator_for(&schema).unwrap()
}

#[test]
fn every_core_object_is_what_the_api_server_describes() {
    let definitions = definitions();
    let mut validated = 0;
    for folder in ["", "agent", "older-runtimes", "linux-5.10", "seccomp"] {
        for object in kustomize(folder) {
            let Some(name) = name_of(&definitions, &object) else {
                assert_eq!(object["apiVersion"], "monitoring.coreos.com/v1", "{object:#}");
                continue;
            };
            let validator = validator(&definitions, name);
            let errors = validator.iter_errors(&object).map(|error| error.to_string());
            let errors: Vec<String> = errors.collect();
            assert!(errors.is_empty(), "{folder}: {name}: {errors:#?}");
            validated += 1;
            let mut with_more = object.clone();
            with_more["spec"]["unknown"] = json!(1);
            assert!(!validator.is_valid(&with_more), "{name} takes any key");
        }
    }
    assert_eq!(validated, 4 + 4 * 3);
}
