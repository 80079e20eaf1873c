//! The kubelet's configuration file.

use serde_saphyr::DuplicateKeyPolicy;

/// The part of `KubeletConfiguration` (kubelet.config.k8s.io/v1beta1) that matters here.
#[derive(serde::Deserialize)]
#[serde(rename_all = "camelCase")]
struct KubeletConfig {
    container_runtime_endpoint: Option<String>,
}

/// The container runtime's socket in a configuration, which is JSON or YAML. `None` if there is
/// none, or the text is neither.
#[must_use]
pub fn endpoint_in(text: &str) -> Option<String> {
    let text = text.trim_start_matches('\u{feff}');
    // Tabs may indent JSON, but not YAML.
    let config = serde_json::from_str(text).ok().or_else(|| from_yaml(text));
    config?.container_runtime_endpoint
}

/// The kubelet reads the first document and ignores others. If a key occurs several times, the last
/// counts (sigs.k8s.io/yaml).
fn from_yaml(text: &str) -> Option<KubeletConfig> {
    let options = serde_saphyr::options! { duplicate_keys: DuplicateKeyPolicy::LastWins };
    let all = serde_saphyr::from_multiple_with_options::<KubeletConfig>(text, options).ok()?;
    all.into_iter().next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_configuration_is_yaml_or_json() {
        let endpoint = "unix:///run/crio.sock";
        for text in [
            "kind: x\ncontainerRuntimeEndpoint: \"unix:///run/crio.sock\"\n",
            "---\nkind: x\ncontainerRuntimeEndpoint: unix:///run/crio.sock # here\n",
            "    kind: x\n    evictionHard:\n        a: b\n    containerRuntimeEndpoint: 'unix:///run/crio.sock'\n",
            "containerRuntimeEndpoint:\n  unix:///run/crio.sock\n",
            "containerRuntimeEndpoint: >-\n  unix:///run/crio.sock\nkind: x\n",
            "\"containerRuntimeEndpoint\": unix:///run/crio.sock\r\nkind: x\r\n",
            "containerRuntimeEndpoint: unix:///run/crio.sock\n---\nkind: other\n",
            "containerRuntimeEndpoint: a\ncontainerRuntimeEndpoint: unix:///run/crio.sock\n",
            "\u{feff}{\"containerRuntimeEndpoint\": \"unix:///run/crio.sock\"}",
            "{\n\t\"kind\": \"x\",\n\t\"containerRuntimeEndpoint\": \"unix:///run/crio.sock\"\n}\n",
            "{\n  \"authentication\": {\"x509\": {}},\n  \"containerRuntimeEndpoint\":\n    \"unix:\\/\\/\\/run\\/crio.sock\"}",
        ] {
            assert_eq!(endpoint_in(text).as_deref(), Some(endpoint), "{text}");
        }
        assert_eq!(endpoint_in("containerRuntimeEndpoint: ''\n").as_deref(), Some(""));
        for text in [
            "",
            "kind: x\n",
            "containerRuntimeEndpoint: null\n",
            "# containerRuntimeEndpoint: unix:///run/crio.sock\nkind: x\n",
            "nested:\n  containerRuntimeEndpoint: unix:///run/crio.sock\n",
            "{\"nested\": {\"containerRuntimeEndpoint\": \"unix:///run/crio.sock\"}}",
            "[1, 2",
        ] {
            assert_eq!(endpoint_in(text), None, "{text}");
        }
    }
}
