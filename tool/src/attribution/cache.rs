//! Remembers the results of lookups. A lookup that found nothing is remembered for a second only.

use std::borrow::Borrow;
use std::hash::Hash;
use std::num::NonZeroUsize;
use std::time::{Duration, Instant};

use lru::LruCache;

/// At most this many results of each kind are kept. The least recently used one makes room.
const CAPACITY: NonZeroUsize = NonZeroUsize::new(4096).unwrap();

/// When a lookup found nothing, it is not repeated for this long.
const NEGATIVE_TTL: Duration = Duration::from_secs(1);

/// Results of lookups, in bounded memory.
pub(super) struct LookupCache<K: Hash + Eq, V> {
    found: LruCache<K, V>,
    /// When nothing was found.
    not_found: LruCache<K, Instant>,
}

impl<K: Eq + Hash, V> LookupCache<K, V> {
    pub(super) fn new() -> Self {
        Self { found: LruCache::new(CAPACITY), not_found: LruCache::new(CAPACITY) }
    }

    /// What was found, however long ago.
    pub(super) fn get<Q: Eq + Hash + ?Sized>(&mut self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
    {
        self.found.get(key)
    }

    /// Whether nothing was found a moment ago.
    pub(super) fn is_known_missing<Q: Eq + Hash + ?Sized>(&mut self, key: &Q) -> bool
    where
        K: Borrow<Q>,
    {
        self.not_found.get(key).is_some_and(|when| when.elapsed() < NEGATIVE_TTL)
    }

    /// Keeps the result of a lookup.
    pub(super) fn insert(&mut self, key: K, result: Option<V>) {
        match result {
            Some(found) => drop(self.found.put(key, found)),
            None => drop(self.not_found.put(key, Instant::now())),
        }
    }

    /// Removes a result that is no longer true.
    pub(super) fn remove<Q: Eq + Hash + ?Sized>(&mut self, key: &Q)
    where
        K: Borrow<Q>,
    {
        self.found.pop(key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_result_stays_and_a_failure_is_not_repeated_at_once() {
        let mut cache = LookupCache::new();
        assert!(cache.get("a").is_none() && !cache.is_known_missing("a"));
        cache.insert("a".to_owned(), None);
        assert!(cache.get("a").is_none() && cache.is_known_missing("a"));
        std::thread::sleep(NEGATIVE_TTL);
        assert!(!cache.is_known_missing("a"));
        cache.insert("a".to_owned(), Some(1));
        assert_eq!(cache.get("a"), Some(&1));
        cache.remove("a");
        assert_eq!(cache.get("a"), None);
    }

    #[test]
    fn the_least_recently_used_result_makes_room() {
        let mut cache = LookupCache::new();
        for n in 0..CAPACITY.get() {
            cache.insert(n, Some(n));
        }
        assert_eq!(cache.get(&0), Some(&0), "it is used");
        cache.insert(CAPACITY.get(), Some(1));
        assert_eq!(cache.get(&0), Some(&0), "it was used last");
        assert_eq!(cache.get(&1), None);
        assert_eq!(cache.found.len(), CAPACITY.get());
    }
}
