//! The periodic check of open sessions for ends that were missed.

use crate::host::process;
use crate::probe::{Probe, ProbeError};
use crate::sessions::SessionTable;

/// Ticks between two checks of all sessions.
const CHECK_INTERVAL: u32 = 4;

/// Checks the shown sessions at every tick, and all open sessions every few ticks.
#[derive(Debug, Default)]
pub(super) struct Reconciler {
    ticks: u32,
    /// The kernel cannot run such programs on demand (it can from Linux 5.10 on).
    is_disabled: bool,
}

impl Reconciler {
    /// Checks sessions: at each tick the `shown` oldest ones, to count their bytes, and every few
    /// ticks all of them. The kernel programs answer with events. If nothing is left of a session,
    /// it is given up. `now_ns` is `CLOCK_BOOTTIME`.
    pub(super) fn tick(
        &mut self,
        sessions: &mut SessionTable,
        probe: &mut Probe,
        shown: usize,
        now_ns: u64,
    ) {
        if self.is_disabled {
            return;
        }
        self.ticks += 1;
        if let Err(error) = self.check(sessions, probe, shown, now_ns) {
            self.is_disabled = true;
            let error = anyhow::Error::from(error);
            log::debug!("cannot check for missed ends of sessions: {error:#}");
        }
    }

    fn check(
        &self,
        sessions: &mut SessionTable,
        probe: &mut Probe,
        shown: usize,
        now_ns: u64,
    ) -> Result<(), ProbeError> {
        let checked = if self.ticks.is_multiple_of(CHECK_INTERVAL) { usize::MAX } else { shown };
        let mut over = Vec::new();
        for (n, open) in sessions.open().enumerate() {
            // After the process has closed the socket, its last bytes may still be on their way.
            if n >= checked && !open.is_released {
                continue;
            }
            let is_followed = match open.connection {
                Some(connection) => {
                    probe.check_connection(connection, open.process.pid, n < shown)?
                }
                None => false,
            };
            if !is_followed && !open.may_be_open(process::is_running) {
                over.push(open.number);
            }
        }
        for number in over {
            sessions.give_up(number, now_ns);
        }
        Ok(())
    }
}
