//! Processes that a process in another pid namespace names by their pids there.

use std::time::Instant;

use super::cache::LookupCache;
use super::search_budget::SearchBudget;
use crate::host::process::{ProcessFacts, find_in_pidns, has_pid_in, shows_pids_of};
use crate::model::NamedProcess;

/// The pids of other pid namespaces.
pub(super) struct ForeignPids {
    /// By the inode of the namespace and the pid there: the pid in /proc.
    known: LookupCache<(u32, u32), u32>,
    budget: SearchBudget,
}

/// The process that a name stands for.
pub(super) enum Named {
    /// This process.
    Process(Box<ProcessFacts>),
    /// The process has ended, or never existed.
    Ended,
    /// It is not known which one.
    Unknown,
}

impl ForeignPids {
    pub(super) fn new() -> Self {
        Self { known: LookupCache::new(), budget: SearchBudget::new() }
    }

    /// The process with this name.
    pub(super) fn find(&mut self, name: NamedProcess) -> Named {
        if shows_pids_of(name.pidns) {
            let facts = ProcessFacts::named(name).map(Box::new);
            return facts.map_or(Named::Ended, Named::Process);
        }
        let Some(key) = name.pidns.map(|pidns| (pidns, name.pid)) else { return Named::Unknown };
        if let Some(&pid) = self.known.get(&key) {
            // The pid may belong to another process by now, here or there.
            let facts = ProcessFacts::now(pid).filter(|facts| has_pid_in(facts, name.pid, key.0));
            if let Some(facts) = facts {
                return named_before(name, facts);
            }
            self.known.remove(&key);
        }
        if self.known.is_known_missing(&key) {
            return Named::Ended;
        }
        let begin = Instant::now();
        if !self.budget.is_left(begin) {
            return Named::Unknown;
        }
        let found = find_in_pidns(name.pid, key.0);
        self.budget.spend(begin.elapsed());
        self.known.insert(key, found.as_ref().map(ProcessFacts::pid));
        found.map_or(Named::Ended, |facts| named_before(name, facts))
    }
}

/// A process that started after it was named was not meant.
fn named_before(name: NamedProcess, facts: ProcessFacts) -> Named {
    if facts.is_older_than(name.time_ns) { Named::Process(facts.into()) } else { Named::Ended }
}
