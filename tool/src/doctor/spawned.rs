//! What the kernel saw of a helper that we spawned.

use std::time::Duration;

use tokio::time::timeout;

use crate::probe::{Options, Probe};
use crate::trace::{End, Event, ExecEvent, Filter, Invocation, invocation};

/// How long the end of a helper may take to be told.
const PATIENCE: Duration = Duration::from_secs(1);

/// Sees our children, where the kernel can be asked.
pub(super) struct Spawned(Option<Probe>);

/// One helper.
pub(super) struct Record {
    pid: u32,
    /// The namespace in which it became socat.
    netns: Option<u32>,
    is_socat: bool,
    end: Option<End>,
}

impl Spawned {
    /// From here on they are seen.
    pub(super) fn watch() -> Self {
        let filter = Filter { ppid: Some(std::process::id()), ..Filter::default() };
        let options = Options {
            settings: filter.settings(),
            failed_execs: false,
            exits: true,
            connections: false,
            cgroup_names: false,
            verbose: false,
        };
        let probe = Probe::attach(&options);
        Self(probe.inspect_err(|error| log::debug!("no records: {error}")).ok())
    }

    /// The helper that was spawned since the last call, once it has ended.
    pub(super) async fn last(&mut self) -> Option<Record> {
        let probe = self.0.as_mut()?;
        let mut record = None;
        let read = async {
            let mut events = Vec::new();
            while probe.read(&mut events).await.is_ok() {
                for event in events.drain(..) {
                    add(&mut record, &event);
                }
                if record.as_ref().is_some_and(|record: &Record| record.end.is_some()) {
                    break;
                }
            }
        };
        // Without its end, what is known of it is told.
        let _ = timeout(PATIENCE, read).await;
        record
    }
}

fn add(record: &mut Option<Record>, event: &Event) {
    match (event, record) {
        (Event::Exec(ExecEvent { pid, netns, args, .. }), record) => match invocation(args) {
            Some(Invocation::Nsenter(_)) => {
                *record = Some(Record { pid: *pid, netns: None, is_socat: false, end: None });
            }
            Some(Invocation::Socat { .. }) => {
                *record = Some(Record { pid: *pid, netns: *netns, is_socat: true, end: None });
            }
            None => {}
        },
        (Event::Exit(exit), Some(record)) if exit.pid == record.pid => record.end = Some(exit.end),
        (Event::Exit(_) | Event::Sock(_), _) => {}
    }
}

impl Record {
    /// `process 9167 was nsenter, became socat in net:[4026532178], exited 1`
    pub(super) fn in_words(&self) -> String {
        let Self { pid, netns, is_socat, end } = self;
        let became = match (is_socat, netns) {
            (true, Some(netns)) => format!(", became socat in net:[{netns}]"),
            (true, None) => ", became socat".to_owned(),
            (false, _) => " and never became socat".to_owned(),
        };
        let ended = match end {
            Some(End::Exited(code)) => format!(", exited {code}"),
            // A signal is ours: it was connected, and no longer needed.
            Some(End::Killed(_)) | None => String::new(),
        };
        format!("process {pid} was nsenter{became}{ended}")
    }
}
