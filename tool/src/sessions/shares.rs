//! The open sessions of each share: one user or container cannot push out another's.

use std::collections::{BTreeSet, HashMap};

use pfsnoop_common::shares::{self, Limits};

/// Numbers of open sessions by share. Bounded by the limits of [`shares::SESSIONS`].
#[derive(Debug, Default)]
pub(super) struct Shares {
    open: HashMap<u32, BTreeSet<u64>>,
    /// How many are open in all.
    in_all: usize,
}

impl Shares {
    /// The session that makes room for one more of this share, if there is no other room: the oldest of
    /// the same share, or of the other users and containers that which has the most.
    pub(super) fn oldest_in_the_way_of(&self, share: u32) -> Option<u64> {
        let Limits { all, others, each } = shares::SESSIONS;
        let (own, in_all) = (self.count(share), self.in_all);
        let others_have = in_all.saturating_sub(self.count(shares::HOST));
        let full = if share == shares::HOST {
            (in_all >= all as usize).then_some(share)
        } else if own >= each as usize {
            Some(share)
        } else if others_have >= others as usize {
            self.largest_of_others()
        } else {
            None
        };
        self.open.get(&full?)?.first().copied()
    }

    fn largest_of_others(&self) -> Option<u32> {
        let others = self.open.iter().filter(|&(&share, _)| share != shares::HOST);
        others.max_by_key(|(_, open)| open.len()).map(|(&share, _)| share)
    }

    fn count(&self, share: u32) -> usize {
        self.open.get(&share).map_or(0, BTreeSet::len)
    }

    pub(super) fn add(&mut self, share: u32, number: u64) {
        let is_new = self.open.entry(share).or_default().insert(number);
        self.in_all += usize::from(is_new);
    }

    pub(super) fn remove(&mut self, share: u32, number: u64) {
        if let Some(open) = self.open.get_mut(&share) {
            self.in_all -= usize::from(open.remove(&number));
            if open.is_empty() {
                self.open.remove(&share);
            }
        }
    }
}
