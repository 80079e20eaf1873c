//! What look-ups have come to: what was found, and for a moment also what was not.

use std::borrow::Borrow;
use std::collections::HashMap;
use std::hash::Hash;
use std::time::{Duration, Instant};

/// Most that is remembered.
const REMEMBERED: usize = 4096;

/// How long a look-up that found nothing is not made again: rows wait for each.
const NOTHING_FOR: Duration = Duration::from_secs(1);

/// The outcomes of look-ups, in bounded memory.
pub(super) struct Memory<K, V> {
    found: HashMap<K, V>,
    /// When nothing was found.
    nothing: HashMap<K, Instant>,
}

impl<K: Eq + Hash, V> Memory<K, V> {
    pub(super) fn new() -> Self {
        Self { found: HashMap::new(), nothing: HashMap::new() }
    }

    /// What was found, however long ago.
    pub(super) fn get<Q: Eq + Hash + ?Sized>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
    {
        self.found.get(key)
    }

    /// Whether nothing was found a moment ago.
    pub(super) fn is_nothing<Q: Eq + Hash + ?Sized>(&self, key: &Q) -> bool
    where
        K: Borrow<Q>,
    {
        self.nothing.get(key).is_some_and(|when| when.elapsed() < NOTHING_FOR)
    }

    /// Remembers what a look-up came to.
    pub(super) fn keep(&mut self, key: K, outcome: Option<V>) {
        let Some(found) = outcome else {
            self.nothing.retain(|_, when| when.elapsed() < NOTHING_FOR);
            make_room(&mut self.nothing);
            self.nothing.insert(key, Instant::now());
            return;
        };
        make_room(&mut self.found);
        self.found.insert(key, found);
    }

    /// What was found is so no more.
    pub(super) fn forget<Q: Eq + Hash + ?Sized>(&mut self, key: &Q)
    where
        K: Borrow<Q>,
    {
        self.found.remove(key);
    }
}

fn make_room<K, V>(map: &mut HashMap<K, V>) {
    if map.len() >= REMEMBERED {
        map.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_found_stays_and_nothing_is_looked_up_again() {
        let mut memory = Memory::new();
        assert!(memory.get("a").is_none() && !memory.is_nothing("a"));
        memory.keep("a".to_owned(), None);
        assert!(memory.get("a").is_none() && memory.is_nothing("a"));
        std::thread::sleep(NOTHING_FOR);
        assert!(!memory.is_nothing("a"));
        memory.keep("a".to_owned(), Some(1));
        assert_eq!(memory.get("a"), Some(&1));
        memory.forget("a");
        assert_eq!(memory.get("a"), None);
    }

    #[test]
    fn memory_is_bounded() {
        let mut memory = Memory::new();
        for n in 0..3 * REMEMBERED {
            memory.keep(n, (n % 2 == 0).then_some(n));
        }
        assert!(memory.found.len() <= REMEMBERED && memory.nothing.len() <= REMEMBERED);
    }
}
