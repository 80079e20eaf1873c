//! Pods and containers.

use std::num::NonZeroUsize;

use lru::LruCache;
use rusqlite::{Connection, OptionalExtension as _, params};

use crate::model::{Container, Owner, Pod};

/// How many pods and containers are remembered, each with some hundred bytes.
const REMEMBERED: NonZeroUsize = NonZeroUsize::new(1024).unwrap();

const FIND: &str = "SELECT id FROM target WHERE namespace IS ? AND pod IS ? AND pod_uid IS ? \
                    AND container IS ? AND container_id IS ? AND runtime IS ? AND is_confirmed IS ? \
                    AND is_disputed IS ?";
const INSERT: &str = "INSERT INTO target (namespace, pod, pod_uid, container, container_id, runtime, \
                      is_confirmed, is_disputed) VALUES (?, ?, ?, ?, ?, ?, ?, ?)";

/// Gives pods and containers their numbers.
#[derive(Debug)]
pub(super) struct Targets {
    known: LruCache<(Option<Container>, Option<Pod>), i64>,
}

impl Default for Targets {
    fn default() -> Self {
        Self { known: LruCache::new(REMEMBERED) }
    }
}

impl Targets {
    /// The number of a pod or container; `None` if neither is known.
    pub(super) fn id(
        &mut self,
        connection: &Connection,
        owner: &Owner,
    ) -> rusqlite::Result<Option<i64>> {
        if owner.container.is_none() && owner.pod.is_none() {
            return Ok(None);
        }
        let key = (owner.container.clone(), owner.pod.clone());
        if let Some(&id) = self.known.get(&key) {
            return Ok(Some(id));
        }
        let (container, pod) = (owner.container.as_ref(), owner.pod.as_ref());
        let values = params![
            pod.map(|pod| &pod.namespace),
            pod.map(|pod| &pod.name),
            pod.map(|pod| &pod.uid),
            container.and_then(|container| container.name.as_ref()),
            container.map(|container| &container.id),
            container.map(|container| container.runtime),
            container.map(|container| container.is_confirmed),
            container.map(|container| container.is_disputed),
        ];
        let found =
            connection.prepare_cached(FIND)?.query_row(values, |row| row.get(0)).optional()?;
        let id = match found {
            Some(id) => id,
            None => connection.prepare_cached(INSERT)?.insert(values)?,
        };
        self.known.put(key, id);
        Ok(Some(id))
    }
}
