//! The daemons that run on this node.

use std::collections::HashMap;

use procfs::process::Process;

use super::daemons::{Daemon, is_daemon};
use super::inspector::{Answer, Inspector, Question};
use super::place::{Place, container_of, foreign_namespaces};

/// How many processes of one name are looked at. A node has one or two daemons of a name. Whoever may
/// start processes can start many more with that name.
const MAX_OF_A_NAME: usize = 16;

/// Every such daemon that runs on this node, the node's own first. Of the processes that share a name,
/// only some are looked at, and the others are counted.
pub async fn running(inspector: &mut Inspector) -> Daemons {
    let all = procfs::process::all_processes().into_iter().flatten().flatten();
    let mut all: Vec<Candidate> = all.filter_map(|process| candidate(&process)).collect();
    all.sort_by_key(|one| (one.container.is_some(), one.foreign_namespaces, one.pid));
    let mut found = Daemons::default();
    let mut counts: HashMap<String, usize> = HashMap::new();
    for candidate in all {
        let count = counts.entry(candidate.name.clone()).or_default();
        *count += 1;
        if *count > MAX_OF_A_NAME {
            *found.not_looked_at.entry(candidate.name).or_default() += 1;
        } else {
            found.daemons.extend(inspect(inspector, candidate).await);
        }
    }
    found
}

/// The daemons that run on this node.
#[derive(Clone, Debug, Default)]
pub struct Daemons {
    /// Those that were looked at.
    pub daemons: Vec<Daemon>,
    /// How many more have a name, and were not looked at.
    pub not_looked_at: HashMap<String, usize>,
}

/// A process that may be a daemon.
struct Candidate {
    pid: u32,
    name: String,
    container: Option<Place>,
    foreign_namespaces: usize,
}

/// Asks only the kernel, which answers.
fn candidate(process: &Process) -> Option<Candidate> {
    let name = process.stat().ok()?.comm;
    is_daemon(&name).then_some(())?;
    // Any user can name a process kubelet, so look only at processes of root. Read the user from
    // `status`: root owns /proc/PID of every process that is not dumpable (proc(5)).
    process.status().ok().filter(|status| (status.ruid, status.euid) == (0, 0))?;
    let pid = u32::try_from(process.pid()).ok()?;
    let foreign_namespaces = foreign_namespaces(pid);
    Some(Candidate { pid, name, container: container_of(pid), foreign_namespaces })
}

async fn inspect(inspector: &mut Inspector, candidate: Candidate) -> Option<Daemon> {
    let Candidate { pid, name, container, .. } = candidate;
    match inspector.ask(&Question::Daemon { pid, name: name.clone() }).await {
        Ok(Answer::Daemon(daemon)) => *daemon,
        Ok(Answer::Socat(_)) => None,
        Err(no_answer) => {
            let place = container.unwrap_or(Place::Unknown);
            Some(Daemon::silent(pid, &name, place, &no_answer.to_string()))
        }
    }
}
