//! Everything that the runtimes of this node have.

use std::sync::Arc;

use super::FindError;
use super::runtimes::{Asked, Runtimes};
use super::source::{AskError, Kind, Listed, Place, Source};

/// What there is, and who said so.
pub(super) struct Inventory {
    pub(super) entries: Vec<Entry>,
    /// Of each runtime that was asked: who it is, and what it said.
    asked: Vec<(String, Said)>,
}

/// What a runtime said.
enum Said {
    Has { pods: usize, containers: usize },
    Nothing(AskError),
}

/// A sandbox or a container, and the runtime that has it.
#[derive(Clone)]
pub(super) struct Entry {
    pub(super) source: Arc<dyn Source>,
    pub(super) listed: Listed,
}

impl Inventory {
    /// Asks the runtimes; an error when none of them answers.
    pub(super) async fn take(runtimes: &Runtimes) -> Result<Self, FindError> {
        let mut inventory = Self { entries: Vec::new(), asked: Vec::new() };
        for Asked { whom, answer, .. } in runtimes.connect().await {
            let said = match answer {
                Ok(source) => inventory.add(&source).await,
                Err(error) => Said::Nothing(error),
            };
            inventory.asked.push((whom, said));
        }
        if inventory.asked.iter().any(|(_, said)| matches!(said, Said::Has { .. })) {
            return Ok(inventory);
        }
        let asked = if inventory.asked.is_empty() {
            format!("nobody listens at {}", runtimes.addresses().join(", "))
        } else {
            format!("asked: {}", inventory.asked())
        };
        Err(FindError::NoRuntime { asked })
    }

    async fn add(&mut self, source: &Arc<dyn Source>) -> Said {
        let listed = match source.list().await {
            Ok(listed) => listed,
            Err(error) => return Said::Nothing(error),
        };
        let pods = listed.iter().filter(|one| one.kind == Kind::Sandbox).count();
        let said = Said::Has { pods, containers: listed.len() - pods };
        let entry = |listed| Entry { source: Arc::clone(source), listed };
        self.entries.extend(listed.into_iter().map(entry));
        said
    }

    /// Those who did not answer, and why, a line each. Who is there and serves another purpose, as
    /// Docker's own containerd, owes no answer.
    pub(super) fn unanswered(&self) -> Vec<String> {
        let line = |(whom, said): &(String, Said)| match said {
            Said::Nothing(error) if !error.is_not_served() => Some(format!("{whom}: {error}")),
            _ => None,
        };
        self.asked.iter().filter_map(line).collect()
    }

    /// Whom we asked and what they said, in one line.
    pub(super) fn asked(&self) -> String {
        let one = |(whom, said): &(String, Said)| match said {
            Said::Has { pods, containers } => {
                format!("{whom}: {}, {}", count(*pods, "pod"), count(*containers, "container"))
            }
            Said::Nothing(error) => format!("{whom}: {error}"),
        };
        self.asked.iter().map(one).collect::<Vec<_>>().join("; ")
    }
}

impl Entry {
    /// Where its processes are now; `None` when it does not run.
    pub(super) async fn place(&self) -> Result<Option<Place>, FindError> {
        let answer = self.source.place(&self.listed).await;
        answer.map_err(|error| self.no_answer(error.to_string()))
    }

    /// It runs, and that is all that is known.
    pub(super) fn says_nothing(&self) -> FindError {
        self.no_answer("neither a pid nor a network namespace is in its status".to_owned())
    }

    /// Its pid is in another network namespace than its file names.
    pub(super) fn contradicts_itself(&self) -> FindError {
        self.no_answer(
            "its process is in another network namespace than its status names".to_owned(),
        )
    }

    pub(super) fn no_answer(&self, why: String) -> FindError {
        FindError::NoAnswer { runtime: self.source.name(), id: self.listed.id.clone(), why }
    }
}

fn count(number: usize, what: &str) -> String {
    if number == 1 { format!("1 {what}") } else { format!("{number} {what}s") }
}
