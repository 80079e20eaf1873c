//! Looks after the sessions that should be open: the records of their ends may have been lost.

use crate::node::process;
use crate::probe::{Probe, ProbeError};
use crate::trace::Sessions;

/// Ticks between two looks at every session.
const EVERY: u32 = 4;

/// Looks now and then at all of them, and more often at those that are shown.
#[derive(Debug, Default)]
pub(super) struct Lookout {
    ticks: u32,
    /// The kernel does not run programs of this kind on demand, which it does from Linux 5.10 on.
    is_blind: bool,
}

impl Lookout {
    /// Learns, at each tick, what the `shown` oldest have carried, and every so often of ends that were
    /// missed, or whose records were lost. `now_ns` is `CLOCK_BOOTTIME`; what the kernel side says comes as
    /// events.
    pub(super) fn tick(
        &mut self,
        sessions: &mut Sessions,
        probe: &mut Probe,
        shown: usize,
        now_ns: u64,
    ) {
        if self.is_blind {
            return;
        }
        self.ticks += 1;
        if let Err(error) = self.look(sessions, probe, shown, now_ns) {
            self.is_blind = true;
            let error = anyhow::Error::from(error);
            log::debug!("ends that are lost cannot be looked for: {error:#}");
        }
    }

    fn look(
        &self,
        sessions: &mut Sessions,
        probe: &mut Probe,
        shown: usize,
        now_ns: u64,
    ) -> Result<(), ProbeError> {
        let looked_at = if self.ticks.is_multiple_of(EVERY) { usize::MAX } else { shown };
        let mut over = Vec::new();
        for (n, open) in sessions.open().take(looked_at).enumerate() {
            let is_followed = match open.connection {
                Some(connection) => {
                    probe.look_at_connection(connection, open.process.0, n < shown)?
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
