//! Follows the cgroup of the filter: its folder may be removed, and made again with another id.

use std::time::Instant;

use super::monitor::Monitor;
use super::reader::Reader;
use crate::output::{complain, escaped};
use crate::probe::{Probe, ProbeError};

impl Monitor {
    /// Checks whether the cgroup is still there. If it was made again, selects the new one.
    pub(super) fn follow_cgroup(&mut self) -> Result<(), ProbeError> {
        let Some(folder) = &self.options.cgroup else { return Ok(()) };
        let path = escaped(folder.path.as_os_str().as_encoded_bytes());
        match folder.id_now() {
            Some(id) if id == folder.id => self.is_cgroup_gone = false,
            Some(id) => {
                self.select_cgroup(id)?;
                self.is_cgroup_gone = false;
                complain(&format!(
                    "note: the cgroup {path} was made again and is shown from now on; execs in it \
                     before that are missing"
                ));
            }
            None if !self.is_cgroup_gone => {
                self.is_cgroup_gone = true;
                complain(&format!(
                    "note: the cgroup {path} was removed: there is nothing to show until it is made \
                     again"
                ));
            }
            None => {}
        }
        Ok(())
    }

    /// Replaces the kernel programs, which have the id of the cgroup built in.
    fn select_cgroup(&mut self, id: u64) -> Result<(), ProbeError> {
        if let Some(folder) = &mut self.options.cgroup {
            folder.id = id;
        }
        self.options.filter.cgroup = Some(id);
        let (probe, rings) = Probe::attach(&self.options.probe())?;
        let reader = Reader::start(rings)?;
        self.probe.detach();
        let before = std::mem::replace(&mut self.reader, reader);
        let (events, lost) = before.finish();
        self.lost.before = self.lost.before + self.probe.losses()? + lost;
        self.probe = probe;
        let now = Instant::now();
        for event in events {
            self.apply(event, now);
        }
        Ok(())
    }
}
