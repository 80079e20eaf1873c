//! The running kernel programs.

use super::error::ProbeError;
use super::reader::Rings;
use super::{attached, homes, load, logs, lost, options::Options};
use crate::host::{memory, program_file};
use crate::model::Losses;

/// The running kernel programs. Dropping it detaches them.
pub struct Probe {
    attached: attached::Attached,
    lost: lost::Counter,
    _logs: Option<logs::Logs>,
    /// Keeps the programs attached.
    programs: Option<aya::Ebpf>,
}

impl Probe {
    /// Loads the programs and attaches them. When this returns, no exec is missed; the records wait
    /// in the rings.
    ///
    /// With `verbose`, it must be called within a tokio runtime, which reads the programs' log.
    pub fn attach(options: &Options) -> Result<(Self, Rings), ProbeError> {
        let mut programs = load::load(options)?;
        let rings = Rings::take(&mut programs, options)?;
        let mut attached = attached::Attached::new(&mut programs)?;
        let lost = lost::Counter::new(&mut programs)?;
        let logs = if options.verbose { Some(logs::Logs::start(&mut programs)?) } else { None };
        load::attach(&mut programs, options)?;
        attached.begin()?;
        if options.connections {
            homes::enter_running(&mut programs)?;
        }
        // What only loading used.
        memory::give_back();
        program_file::give_back();
        log::debug!("the kernel programs are attached");
        Ok((Self { attached, lost, _logs: logs, programs: Some(programs) }, rings))
    }

    /// Has the kernel programs check a connection of this process that should be open. If its end
    /// was missed, an event reports it; otherwise, with `count`, an event reports its bytes.
    /// Returns false for a connection that is no longer followed: the event of its end has come or
    /// was lost.
    pub fn check_connection(&mut self, id: u64, pid: u32, count: bool) -> Result<bool, ProbeError> {
        match &mut self.programs {
            Some(programs) => load::check_connection(programs, id, pid, count),
            None => Ok(true),
        }
    }

    /// Detaches the programs: nothing more is recorded. What was recorded can still be read.
    pub fn detach(&mut self) {
        // Detaching takes up to half a second.
        if let Err(error) = self.attached.end() {
            log::warn!("{:#}", anyhow::Error::from(error));
        }
        self.programs = None;
    }

    /// What the kernel programs could not send or follow since the start.
    pub fn losses(&self) -> Result<Losses, ProbeError> {
        self.lost.losses()
    }
}
