//! The pod of a port-forward.

use crate::serve::api::list::{not_allowed, unavailable};
use crate::serve::api::status::Status;
use crate::serve::pods::{PodSource, ServedPod};

/// The pod, if clients may reach it and it runs.
pub(in crate::serve::api) async fn target(
    pods: &PodSource,
    namespace: &str,
    name: &str,
) -> Result<ServedPod, Status> {
    if !pods.allows(namespace, name) {
        return Err(not_allowed(namespace, name));
    }
    let snapshot = pods.list().await.map_err(unavailable)?;
    let pod = snapshot.pod(namespace, name).ok_or_else(|| Status::pod_not_found(name))?;
    if !pod.is_running() {
        // kubectl's words, for the clients that do not look before.
        let phase = pod.phase().word();
        return Err(Status::bad_request(format!(
            "unable to forward port because pod is not running. Current status={phase}"
        )));
    }
    Ok(pod.clone())
}
