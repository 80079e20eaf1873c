//! Updates that wait for the names of their pods and containers, in order.

use std::collections::{HashMap, VecDeque};
use std::time::{Duration, Instant};

use crate::attribution::{Attribution, Naming};
use crate::model::{Event, Owner, Placement, State, Update};

/// How long an update waits for its names. It is then shown without them.
const NAMES_TIMEOUT: Duration = Duration::from_secs(1);

/// At most this many bytes wait. When more come, the oldest updates are shown without names. No
/// update is lost.
const MAX_BYTES: usize = 4 * 1024 * 1024;

/// At most so many sessions are remembered with their pods.
const MAX_REMEMBERED: usize = 4096;

/// A queue of updates.
#[derive(Default)]
pub(super) struct NamingQueue {
    waiting: VecDeque<Row>,
    bytes: usize,
    /// The pods of open sessions, by session, where only the runtime's file of the namespace has told
    /// which pod it is. That file may be gone when the session ends.
    of_netns: HashMap<String, Owner>,
}

struct Row {
    update: Update,
    /// The placement of its owner; `None` for an update without an owner.
    placement: Option<Placement>,
    deadline: Instant,
    bytes: usize,
}

impl NamingQueue {
    /// Adds an update. An exec comes with the placement of its process.
    pub(super) fn push(&mut self, update: Update, placement: Option<Placement>, now: Instant) {
        let placement = match &update {
            Update::Session(session) => Some(session.target.placement.clone()),
            _ => placement,
        };
        let bytes = memory(&update) + placement.as_ref().map_or(0, Placement::memory);
        self.bytes += bytes;
        self.waiting.push_back(Row { update, placement, deadline: now + NAMES_TIMEOUT, bytes });
    }

    /// When the first update has waited long enough.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.waiting.front().map(|row| row.deadline)
    }

    /// Takes the updates that have their names, or wait no longer.
    pub(super) fn release(
        &mut self,
        attribution: &mut Attribution,
        now: Instant,
        released: &mut Vec<Update>,
    ) {
        while let Some(row) = self.waiting.front() {
            let owner = match row.placement.as_ref().map(|at| attribution.owner(at)) {
                None => None,
                Some(Naming::Known(owner)) => Some(owner),
                Some(Naming::Pending(owner)) => {
                    if row.deadline > now && self.bytes <= MAX_BYTES {
                        break;
                    }
                    Some(owner)
                }
            };
            let Some(row) = self.waiting.pop_front() else { break };
            self.bytes -= row.bytes;
            let owner = owner.map(|owner| self.remembered(&row, owner));
            released.push(with_owner(row.update, owner));
        }
    }
}

impl NamingQueue {
    /// The owner, or the one that the session had before.
    fn remembered(&mut self, row: &Row, owner: Owner) -> Owner {
        let Update::Session(session) = &row.update else { return owner };
        if row.placement.as_ref().is_none_or(|placement| placement.netns.is_none()) {
            return owner;
        }
        let is_over = matches!(session.state, State::Closed(_) | State::Lost);
        if is_over {
            let before = self.of_netns.remove(&session.id);
            return if owner.pod.is_some() { owner } else { before.unwrap_or(owner) };
        }
        if owner.pod.is_some() && self.of_netns.len() < MAX_REMEMBERED {
            self.of_netns.insert(session.id.clone(), owner.clone());
        }
        owner
    }
}

fn with_owner(mut update: Update, owner: Option<Owner>) -> Update {
    match (&mut update, owner) {
        (Update::Exec(_, of_exec), Some(owner)) => *of_exec = owner,
        (Update::Session(session), Some(owner)) => session.target.owner = owner,
        _ => {}
    }
    update
}

fn memory(update: &Update) -> usize {
    size_of::<Row>()
        + match update {
            Update::Exec(exec, _) => size_of::<Event>() + exec.memory(),
            _ => size_of::<Event>(),
        }
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixListener;
    use std::path::PathBuf;

    use super::*;
    use crate::model::{ContainerRef, ExecEvent};
    use crate::runtime::Runtimes;

    fn exec(pid: u32) -> Update {
        Update::Exec(Box::new(ExecEvent { pid, ..ExecEvent::default() }), Owner::default())
    }

    fn unknown_container() -> Placement {
        let container = Some(ContainerRef { id: "0123".to_owned(), runtime: "unknown" });
        Placement { container, ..Placement::default() }
    }

    fn pids(updates: &[Update]) -> Vec<u32> {
        let pid = |update: &Update| match update {
            Update::Exec(exec, _) => exec.pid,
            _ => 0,
        };
        updates.iter().map(pid).collect()
    }

    /// A runtime that accepts connections and does not answer.
    struct SilentRuntime {
        path: PathBuf,
        _listener: UnixListener,
    }

    impl SilentRuntime {
        fn new(name: &str) -> Self {
            let path = std::env::temp_dir().join(format!("pfsnoop-{name}-{}", std::process::id()));
            let _ = std::fs::remove_file(&path);
            Self { _listener: UnixListener::bind(&path).unwrap(), path }
        }

        fn attribution(&self) -> Attribution {
            let endpoint = Some(self.path.display().to_string().parse().unwrap());
            Attribution::with_names(&Runtimes { endpoint, ..Runtimes::default() })
        }
    }

    impl Drop for SilentRuntime {
        fn drop(&mut self) {
            let _ = std::fs::remove_file(&self.path);
        }
    }

    #[tokio::test]
    async fn a_row_waits_a_second_and_keeps_its_place() {
        let runtime = SilentRuntime::new("row-waits");
        let mut attribution = runtime.attribution();
        let (mut queue, mut released, start) = (NamingQueue::default(), Vec::new(), Instant::now());
        queue.push(exec(1), None, start);
        queue.push(exec(2), Some(unknown_container()), start);
        queue.push(exec(3), None, start);
        queue.release(&mut attribution, start, &mut released);
        assert_eq!(pids(&released), [1], "the third keeps its place behind the second");
        queue.release(&mut attribution, start + NAMES_TIMEOUT, &mut released);
        assert_eq!(pids(&released), [1, 2, 3]);
        let Update::Exec(_, owner) = &released[1] else { panic!("an exec") };
        assert!(owner.container.is_some(), "the id is known without a runtime");
        assert_eq!(queue.bytes, 0);
    }

    #[tokio::test]
    async fn beyond_the_limit_in_bytes_rows_wait_no_longer() {
        let runtime = SilentRuntime::new("rows-wait");
        let mut attribution = runtime.attribution();
        let (mut queue, mut released, start) = (NamingQueue::default(), Vec::new(), Instant::now());
        let count = MAX_BYTES / (memory(&exec(0)) + unknown_container().memory()) + 10;
        for pid in 0..u32::try_from(count).unwrap() {
            queue.push(exec(pid), Some(unknown_container()), start);
        }
        queue.release(&mut attribution, start, &mut released);
        assert!((10..100).contains(&released.len()), "{}", released.len());
        assert!(queue.bytes <= MAX_BYTES);
    }
}
