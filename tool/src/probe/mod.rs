//! The kernel side, seen from user space: load and attach the programs, read their ring buffers,
//! decode records into [`trace`](crate::trace) events. The only module that names aya.

mod btf;
mod decode;
mod load;
mod logs;
mod loss;
mod offsets;
mod reader;
mod tracefs;

use std::io;

use aya::EbpfError;
use aya::maps::MapError;
use aya::programs::ProgramError;
use pfsnoop_common::Settings;

pub use btf::BtfError;
pub use decode::{DecodeError, decode};

use crate::trace::{Event, Lost};

/// Why the kernel programs are not running.
#[derive(Debug, thiserror::Error)]
pub enum ProbeError {
    /// `/sys/kernel/btf/vmlinux` cannot be read.
    #[error(
        "this kernel offers no BTF; pfsnoop needs one built with CONFIG_DEBUG_INFO_BTF=y, as those \
         of current distributions are: /sys/kernel/btf/vmlinux"
    )]
    NoBtf(#[source] io::Error),
    /// It is there, but not understood.
    #[error("/sys/kernel/btf/vmlinux cannot be used")]
    BadBtf(#[from] BtfError),
    /// A structure has changed beyond what we can follow.
    #[error("this kernel has no {0}: pfsnoop needs an update for it")]
    FieldMissing(&'static str),
    /// The kernel refused.
    #[error(
        "the kernel refused to load the programs (not permitted): run pfsnoop as root, or with \
         CAP_BPF, CAP_PERFMON and CAP_SYS_ADMIN"
    )]
    NotPermitted,
    /// Anything else between aya and the kernel.
    #[error("cannot {doing}")]
    Aya {
        /// What was tried, as in "cannot ...".
        doing: &'static str,
        /// aya's error, with the kernel's inside.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// tracefs can be neither found nor mounted.
    #[error(
        "cannot read tracefs, which tracing failed execs needs; try `mount -t tracefs tracefs \
         /sys/kernel/tracing`"
    )]
    NoTracefs(#[source] io::Error),
    /// Waiting for records failed.
    #[error("cannot wait for records")]
    Wait(#[source] io::Error),
}

/// What to trace and where to filter.
#[derive(Clone, Debug)]
pub struct Options {
    /// Handed to the kernel programs.
    pub settings: Settings,
    /// Trace failed execs too; costs two more programs on every exec.
    pub failed_execs: bool,
    /// Trace the ends of processes.
    pub exits: bool,
    /// Follow TCP connections into other network namespaces, and those of socat.
    pub connections: bool,
    /// Have each exec carry the name of its cgroup.
    pub cgroup_names: bool,
    /// Show what the kernel side logs (aya-log).
    pub verbose: bool,
}

/// The running kernel programs. Dropping it detaches them.
pub struct Probe {
    reader: reader::Reader,
    loss: loss::Counter,
    _logs: Option<logs::Logs>,
    /// Keeps the programs attached.
    programs: Option<aya::Ebpf>,
}

impl Probe {
    /// Loads the programs and attaches them; when this returns, no exec is missed.
    ///
    /// Must be called within a tokio runtime, which watches the ring buffers.
    pub fn attach(options: &Options) -> Result<Self, ProbeError> {
        let mut programs = load::load(options)?;
        let reader = reader::Reader::new(&mut programs, options)?;
        let loss = loss::Counter::new(&mut programs)?;
        let logs = if options.verbose { Some(logs::Logs::start(&mut programs)?) } else { None };
        load::attach(&mut programs, options)?;
        log::debug!("the kernel programs are attached");
        Ok(Self { reader, loss, _logs: logs, programs: Some(programs) })
    }

    /// Waits until there are events and adds a batch of them to `events`, in the order of time.
    ///
    /// Cancel safe: an event that was taken from the kernel is in `events`, or comes with the next.
    pub async fn read(&mut self, events: &mut Vec<Event>) -> Result<(), ProbeError> {
        self.reader.read(events).await
    }

    /// Adds a batch of what is there already, without waiting; false when there was nothing.
    pub fn read_ready(&mut self, events: &mut Vec<Event>) -> bool {
        let before = events.len();
        self.reader.read_ready(events);
        events.len() > before
    }

    /// Has the kernel side look at a connection of that process, which should be open. If its end was
    /// missed, that is reported, and else, when it is to be counted, how much it has carried: as an
    /// event. Returns false for one that is not followed any more: the event of its end came or was
    /// lost, or others have pushed it out.
    pub fn look_at_connection(
        &mut self,
        id: u64,
        pid: u32,
        is_counted: bool,
    ) -> Result<bool, ProbeError> {
        match &mut self.programs {
            Some(programs) => load::look_at_connection(programs, id, pid, is_counted),
            None => Ok(true),
        }
    }

    /// From here on nothing more is recorded; what was is still to be read.
    pub fn detach(&mut self) {
        self.programs = None;
    }

    /// What was lost since the start, until now.
    pub fn lost_until_now(&self) -> Result<u64, ProbeError> {
        self.loss.total(self.reader.undecodable())
    }

    /// What was lost since the last call, if anything was.
    pub fn lost(&mut self) -> Result<Option<Lost>, ProbeError> {
        self.loss.grown(self.reader.undecodable())
    }

    /// What was lost since the start, as far as [`lost`](Self::lost) has told.
    #[must_use]
    pub fn lost_in_all(&self) -> u64 {
        self.loss.reported()
    }
}

/// Sorts an error of aya's into those that a user can do something about.
fn failed(doing: &'static str) -> impl Fn(EbpfError) -> ProbeError {
    move |error| from_source(doing, error)
}

fn program_failed(doing: &'static str) -> impl Fn(ProgramError) -> ProbeError {
    move |error| from_source(doing, error)
}

fn map_failed(error: MapError) -> ProbeError {
    from_source("use a map", error)
}

fn from_source<E>(doing: &'static str, error: E) -> ProbeError
where
    E: std::error::Error + Send + Sync + 'static,
{
    if is_not_permitted(&error) {
        return ProbeError::NotPermitted;
    }
    ProbeError::Aya { doing, source: Box::new(error) }
}

fn is_not_permitted(error: &(dyn std::error::Error + 'static)) -> bool {
    std::iter::successors(Some(error), |error| error.source())
        .filter_map(|error| error.downcast_ref::<io::Error>())
        // EACCES is the verifier's word for a program that it does not like.
        .any(|error| error.raw_os_error() == Some(libc::EPERM))
}
