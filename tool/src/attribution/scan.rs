//! A search through all processes of the node. One search serves all network namespaces that are asked
//! for within a second.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use super::search_budget::SearchBudget;

/// How long a search serves the namespaces that it has found.
const TTL: Duration = Duration::from_secs(1);

/// The processes of each network namespace, as the last search found them. Bounded by the number of
/// processes on the node.
pub(super) struct Scan {
    pids: HashMap<u64, Vec<u32>>,
    searched: Option<Instant>,
    /// For namespaces that are younger than the last search.
    budget: SearchBudget,
}

impl Scan {
    pub(super) fn new() -> Self {
        Self { pids: HashMap::new(), searched: None, budget: SearchBudget::new() }
    }

    /// The processes in that namespace. `None` if the namespace may be younger than the last search,
    /// and it is too early for another one. `search` lists all processes with their namespaces.
    pub(super) fn processes<I: Iterator<Item = (u32, u64)>>(
        &mut self,
        netns: u64,
        now: Instant,
        search: impl FnOnce() -> I,
    ) -> Option<&[u32]> {
        let is_fresh = self.searched.is_some_and(|searched| now < searched + TTL);
        if !(is_fresh && self.pids.contains_key(&netns)) {
            if !self.budget.is_left(now) {
                return None;
            }
            self.search(now, search());
        }
        Some(self.pids.get(&netns).map_or(&[], Vec::as_slice))
    }

    fn search(&mut self, now: Instant, all: impl Iterator<Item = (u32, u64)>) {
        let start = Instant::now();
        self.pids.clear();
        for (pid, netns) in all {
            self.pids.entry(netns).or_default().push(pid);
        }
        self.searched = Some(now);
        self.budget.spend(start.elapsed());
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    const NETNS: [u64; 3] = [1, 2, 2];

    /// Searches that take so long, and how many there were.
    struct Searches {
        takes: Duration,
        count: Cell<u32>,
    }

    impl Searches {
        fn taking(millis: u64) -> Self {
            Self { takes: Duration::from_millis(millis), count: Cell::new(0) }
        }

        fn search(&self) -> impl Iterator<Item = (u32, u64)> + use<'_> {
            self.count.set(self.count.get() + 1);
            let slowly = |all| {
                std::thread::sleep(self.takes);
                all
            };
            std::iter::once_with(move || slowly((10..).zip(NETNS))).flatten()
        }
    }

    #[test]
    fn one_search_serves_all_namespaces_for_a_second() {
        let (mut scan, searches, start) = (Scan::new(), Searches::taking(0), Instant::now());
        assert_eq!(scan.processes(2, start, || searches.search()), Some(&[11, 12][..]));
        let later = start + TTL / 2;
        assert_eq!(scan.processes(1, later, || searches.search()), Some(&[10][..]));
        assert_eq!(searches.count.get(), 1);
        scan.processes(1, start + TTL, || searches.search());
        assert_eq!(searches.count.get(), 2);
    }

    #[test]
    fn a_young_namespace_is_searched_for_at_once_but_not_without_end() {
        let (mut scan, searches, start) = (Scan::new(), Searches::taking(50), Instant::now());
        let mut unanswered = 0;
        for young in 100..120 {
            unanswered += u32::from(scan.processes(young, start, || searches.search()).is_none());
        }
        let burst = searches.count.get();
        assert!((2..=5).contains(&burst), "{burst} searches of 50 ms each");
        assert_eq!(burst + unanswered, 20);
        assert_eq!(scan.processes(1, start, || searches.search()), Some(&[10][..]), "known");
        let later = start + Duration::from_secs(5);
        assert!(scan.processes(200, later, || searches.search()).is_some(), "a new budget");
    }
}
