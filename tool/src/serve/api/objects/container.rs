//! A container of a pod.

use serde::Serialize;

use crate::model::TargetInfo;

/// A container, as it is specified.
#[derive(Debug, Serialize)]
pub(super) struct Container<'a> {
    name: &'a str,
    image: &'a str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    ports: Vec<Port<'a>>,
}

#[derive(Debug, Serialize)]
struct Port<'a> {
    /// By which `kubectl port-forward pod/x 8080:http` finds the number.
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    #[serde(rename = "containerPort")]
    number: u16,
    protocol: &'static str,
}

/// `image`, `imageID`, `ready` and `restartCount` are required by the generated clients.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ContainerStatus<'a> {
    name: &'a str,
    ready: bool,
    restart_count: u32,
    image: &'a str,
    #[serde(rename = "imageID")]
    image_id: &'static str,
    /// `containerd://ID`
    #[serde(rename = "containerID")]
    container_id: String,
}

impl<'a> Container<'a> {
    pub(super) fn of(info: &'a TargetInfo) -> Self {
        let ports = info.details.ports.iter().map(|declared| Port {
            name: declared.name.as_deref(),
            number: declared.port,
            protocol: "TCP",
        });
        Self { name: name(info), image: image(info), ports: ports.collect() }
    }
}

/// The name in its pod, or the runtime's.
fn name(info: &TargetInfo) -> &str {
    info.names().last().unwrap_or(&info.id)
}

fn image(info: &TargetInfo) -> &str {
    info.details.image.as_deref().unwrap_or_default()
}

impl<'a> ContainerStatus<'a> {
    /// Of a container of this runtime.
    pub(super) fn of(runtime: &str, info: &'a TargetInfo) -> Self {
        Self {
            name: name(info),
            ready: info.is_running,
            restart_count: 0,
            image: image(info),
            image_id: "",
            container_id: format!("{runtime}://{}", info.id),
        }
    }
}
