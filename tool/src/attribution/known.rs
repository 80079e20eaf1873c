//! Whether anything on this node has the name that the user filters by.

use super::kubelet_logs::KubeletLogs;
use crate::model::{Container, Owner, OwnerFilter, TargetInfo};
use crate::runtime::{ContainerIndex, Runtimes};

/// Whether a runtime or the kubelet's log folders have a pod or container that passes the filter. An
/// error if they have none and no runtime answers: it says which were asked.
pub async fn is_known(filter: &OwnerFilter, runtimes: &Runtimes) -> Result<bool, String> {
    if KubeletLogs::default().owners().any(|owner| filter.matches(&owner)) {
        return Ok(true);
    }
    let index = ContainerIndex::build(runtimes).await?;
    Ok(index.entries.into_iter().any(|entry| filter.matches(&owner(entry.info))))
}

fn owner(TargetInfo { id, name, pod, .. }: TargetInfo) -> Owner {
    let container = Container { id, runtime: "", name, is_confirmed: true, is_disputed: false };
    Owner { container: Some(container), pod, is_claimed: false }
}
