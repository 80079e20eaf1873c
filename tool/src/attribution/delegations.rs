//! Whether others than root may have named the cgroup of a placement. Remembers the answers: most
//! containers of a node are in the same few folders.

use std::time::{Duration, Instant};

use super::cache::LookupCache;
use crate::host::cgroup::is_delegated;
use crate::model::{NamedFolder, Placement};

/// How long an answer counts. A folder is rarely given to another owner.
const TTL: Duration = Duration::from_secs(10);

/// The answers, by the folder in which a cgroup is.
pub(super) struct Delegations {
    known: LookupCache<String, (Instant, bool)>,
}

impl Delegations {
    pub(super) fn new() -> Self {
        Self { known: LookupCache::new() }
    }

    /// The same placement, with what the owners of the folders tell.
    pub(super) fn judge(&mut self, mut placement: Placement) -> Placement {
        for folder in [&mut placement.container_folder, &mut placement.pod_folder] {
            if let NamedFolder { path: Some(path), is_delegated: false } = folder {
                folder.is_delegated = self.is_delegated(path);
            }
        }
        placement
    }

    fn is_delegated(&mut self, path: &str) -> bool {
        let Some((above, _)) = path.rsplit_once('/') else { return false };
        if let Some(&(when, answer)) = self.known.get(above)
            && when.elapsed() < TTL
        {
            return answer;
        }
        let answer = is_delegated(path);
        self.known.insert(above.to_owned(), Some((Instant::now(), answer)));
        answer
    }
}
