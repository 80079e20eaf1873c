//! What the kernel saw of a helper that pfsnoop spawned.

use std::time::Duration;

use tokio::time::timeout;

use crate::attribution::Attribution;
use crate::model::{End, Invocation, Update};
use crate::monitor::{Monitor, MonitorOptions};

/// How long to wait for the record of a helper's end.
const END_TIMEOUT: Duration = Duration::from_secs(1);

/// Watches the children of this process. Without a tracer, it sees none.
pub(super) struct HelperMonitor(Option<Monitor>);

/// The kernel's records of one helper.
pub(super) struct HelperRecord {
    pid: u32,
    /// The network namespace in which the process became socat.
    netns: Option<u32>,
    is_socat: bool,
    end: Option<End>,
}

impl HelperMonitor {
    /// Sees the helpers that are spawned after this call.
    pub(super) fn start() -> Self {
        let options = MonitorOptions {
            exits: true,
            failed_execs: false,
            sessions: false,
            ..MonitorOptions::own_children(false)
        };
        let monitor = Monitor::attach(options, Attribution::without_names());
        Self(monitor.inspect_err(|error| log::debug!("no records: {error}")).ok())
    }

    /// The helper that was spawned since the last call. Waits until it has ended.
    pub(super) async fn last_helper(&mut self) -> Option<HelperRecord> {
        let monitor = self.0.as_mut()?;
        let mut record: Option<HelperRecord> = None;
        let read = async {
            while let Ok(Some(updates)) = monitor.updates().await {
                for update in &updates {
                    add(&mut record, update);
                }
                if record.as_ref().is_some_and(|record| record.end.is_some()) {
                    break;
                }
            }
        };
        // After the timeout, the record holds what is known, without the end.
        let _ = timeout(END_TIMEOUT, read).await;
        record
    }
}

fn add(record: &mut Option<HelperRecord>, update: &Update) {
    match (update, record) {
        (Update::Exec(exec, _), record) => match exec.invocation {
            Some(Invocation::Nsenter(_)) => {
                let pid = exec.pid;
                *record = Some(HelperRecord { pid, netns: None, is_socat: false, end: None });
            }
            Some(Invocation::Socat { .. }) => {
                let (pid, netns) = (exec.pid, exec.netns);
                *record = Some(HelperRecord { pid, netns, is_socat: true, end: None });
            }
            None => {}
        },
        (Update::Exit(exit), Some(record)) if exit.pid == record.pid => record.end = Some(exit.end),
        _ => {}
    }
}

impl HelperRecord {
    /// `process 9167 was nsenter, became socat in net:[4026532178], exited 1`
    pub(super) fn describe(&self) -> String {
        let Self { pid, netns, is_socat, end } = self;
        let became = match (is_socat, netns) {
            (true, Some(netns)) => format!(", became socat in net:[{netns}]"),
            (true, None) => ", became socat".to_owned(),
            (false, _) => " and never became socat".to_owned(),
        };
        let ended = match end {
            Some(End::Exited(code)) => format!(", exited {code}"),
            // pfsnoop sends the signal if a connected helper does not leave by itself.
            Some(End::Killed(_)) | None => String::new(),
        };
        format!("process {pid} was nsenter{became}{ended}")
    }
}
