//! Which container runtimes are on this node, whether they answer or not.

use super::runtimes::{Asked, Runtimes};
use super::source::{AskError, Kind, Source};

/// Everybody who was asked.
#[derive(Clone, Debug)]
pub struct RollCall {
    /// What each said; empty where nobody listens.
    pub answers: Vec<Answer>,
    /// Where we looked.
    pub addresses: Vec<String>,
}

/// What one said.
#[derive(Clone, Debug)]
pub struct Answer {
    /// `docker at /var/run/docker.sock`
    pub whom: String,
    /// The user named it, so it is to be there.
    pub is_named: bool,
    /// Who it is, or why it says nothing; `Ok(None)` for one that is there for other ends, as
    /// Docker's own containerd.
    pub present: Result<Option<Present>, Absent>,
}

/// Why one does not answer.
#[derive(Clone, Debug)]
pub struct Absent {
    /// In words.
    pub why: String,
    /// Somebody takes the calls, and says nothing.
    pub is_silent: bool,
}

/// A runtime that answers.
#[derive(Clone, Debug)]
pub struct Present {
    /// As records name it.
    pub name: &'static str,
    /// Its version, in its own words.
    pub version: String,
    /// How many pods it has, also those that do not run.
    pub pods: usize,
    /// How many containers.
    pub containers: usize,
}

impl RollCall {
    /// Asks them all.
    pub async fn make(runtimes: &Runtimes) -> Self {
        let mut answers = Vec::new();
        for Asked { whom, is_named, answer } in runtimes.connect().await {
            let present = match answer {
                Ok(source) => count(source.as_ref()).await.map(Some),
                Err(error) => Err(error),
            };
            let present = match present {
                Err(error) if error.is_not_served() => Ok(None),
                other => other.map_err(|error| Absent {
                    why: error.to_string(),
                    is_silent: error.is_silence(),
                }),
            };
            answers.push(Answer { whom, is_named, present });
        }
        Self { answers, addresses: runtimes.addresses() }
    }
}

async fn count(source: &dyn Source) -> Result<Present, AskError> {
    let listed = source.list().await?;
    let pods = listed.iter().filter(|one| one.kind == Kind::Sandbox).count();
    let (name, version) = (source.name(), source.version().to_owned());
    Ok(Present { name, version, pods, containers: listed.len() - pods })
}
