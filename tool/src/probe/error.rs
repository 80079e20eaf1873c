//! Why the kernel programs do not run.

use std::io;

use aya::EbpfError;
use aya::maps::MapError;
use aya::programs::ProgramError;

use super::btf::BtfError;
use crate::host::lockdown;

/// Why the kernel programs do not run.
#[derive(Debug, thiserror::Error)]
pub enum ProbeError {
    /// `/sys/kernel/btf/vmlinux` cannot be read.
    #[error(
        "this kernel has no BTF; pfsnoop needs a kernel built with CONFIG_DEBUG_INFO_BTF=y, as \
         current distributions build theirs: /sys/kernel/btf/vmlinux"
    )]
    NoBtf(#[source] io::Error),
    /// The file is there, but is not understood.
    #[error("/sys/kernel/btf/vmlinux cannot be used")]
    BadBtf(#[from] BtfError),
    /// A kernel structure lacks a field without which records would be wrong.
    #[error("this kernel has no {0}, which pfsnoop needs: try a newer pfsnoop")]
    FieldMissing(&'static str),
    /// The BTF has types that cannot be read or skipped, and a structure that comes after them.
    #[error(
        "this kernel's BTF has types of kind {kind}, which this pfsnoop cannot read, and {field} was \
         not found before them: try a newer pfsnoop"
    )]
    UnknownKind {
        /// The kind of the first such type.
        kind: u32,
        /// The field that was not found.
        field: &'static str,
    },
    /// The kernel refused to load the programs.
    #[error(
        "the kernel refused to load the programs (not permitted): run pfsnoop as root, or with CAP_BPF \
         and CAP_PERFMON"
    )]
    NotPermitted,
    /// The lockdown mode `confidentiality`.
    #[error(
        "the kernel is locked down (lockdown=confidentiality) and lets no program read its memory, which \
         tracing needs; `forward --no-watch`, `serve --no-watch`, `targets`, `history` and `doctor` still \
         work, and `pfsnoop doctor` says how to lift it"
    )]
    LockedDown,
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
        "cannot read tracefs, which tracing failed execs needs: run pfsnoop as root, or let this user read \
         /sys/kernel/tracing (`mount -t tracefs tracefs /sys/kernel/tracing`)"
    )]
    NoTracefs(#[source] io::Error),
    /// Waiting for records failed.
    #[error("cannot wait for records")]
    Wait(#[source] io::Error),
}

/// The error for a missing part of the embedded object.
pub(super) fn missing(doing: &'static str, name: &'static str) -> ProbeError {
    ProbeError::Aya { doing, source: name.into() }
}

/// Converts an error of aya. A missing permission gets an error of its own, with advice.
pub(super) fn failed(doing: &'static str) -> impl Fn(EbpfError) -> ProbeError {
    move |error| from_source(doing, error)
}

pub(super) fn program_failed(doing: &'static str) -> impl Fn(ProgramError) -> ProbeError {
    move |error| from_source(doing, error)
}

pub(super) fn map_failed(error: MapError) -> ProbeError {
    from_source("use a map", error)
}

pub(super) fn from_source<E>(doing: &'static str, error: E) -> ProbeError
where
    E: std::error::Error + Send + Sync + 'static,
{
    if is_locked_down(&error) {
        return ProbeError::LockedDown;
    }
    if is_not_permitted(&error) {
        return ProbeError::NotPermitted;
    }
    ProbeError::Aya { doing, source: Box::new(error) }
}

/// Under lockdown, the kernel has no function that reads its memory (`bpf_tracing_func_proto`,
/// kernel/trace/bpf_trace.c), and the verifier rejects the program. Older kernels say `unknown func`.
fn is_locked_down(error: &(dyn std::error::Error + 'static)) -> bool {
    let is_of_lockdown = |text: &str| {
        let words =
            ["cannot use helper bpf_probe_read_kernel", "unknown func bpf_probe_read_kernel"];
        words.iter().any(|words| text.contains(words))
    };
    let mut chain = std::iter::successors(Some(error), |error| error.source());
    chain.any(|error| is_of_lockdown(&error.to_string())) || lockdown::is_confidential()
}

fn is_not_permitted(error: &(dyn std::error::Error + 'static)) -> bool {
    std::iter::successors(Some(error), |error| error.source())
        .filter_map(|error| error.downcast_ref::<io::Error>())
        // EACCES is the verifier's error for a program that it rejects.
        .any(|error| error.raw_os_error() == Some(libc::EPERM))
}
