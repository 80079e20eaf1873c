//! The bytes of a connection.

use super::count::Count;

/// Bytes that have arrived in each direction.
#[derive(Debug, Default)]
pub(super) struct Relayed {
    pub(super) to_pod: Count,
    pub(super) from_pod: Count,
}

impl Relayed {
    /// Bytes to the pod, and from it.
    pub(super) fn bytes(&self) -> (u64, u64) {
        (self.to_pod.get(), self.from_pod.get())
    }

    /// Waits for the pod's first byte.
    pub(super) async fn first_from_pod(&self) {
        self.from_pod.reaches(1).await;
    }
}
