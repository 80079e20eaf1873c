//! What a command still needs once it is set up.

use std::io;
use std::path::{Path, PathBuf};

use rustix::fs::{Access, AtFlags, CWD, accessat};
use rustix::io::Errno;
use rustix::thread::{CapabilitySet, capabilities, set_capabilities};

/// The capabilities of kernel programs that run (capabilities(7)).
const TRACING: CapabilitySet = CapabilitySet::BPF.union(CapabilitySet::PERFMON);

/// What reading other processes in /proc takes: their namespaces (`PTRACE_MODE_READ`, ptrace(2)), and
/// files of other users below their roots.
const PROCESSES: CapabilitySet = CapabilitySet::SYS_PTRACE.union(CapabilitySet::DAC_READ_SEARCH);

/// What the thread needs that enters namespaces and starts nsenter (setns(2)).
const ENTERING: CapabilitySet = CapabilitySet::SYS_ADMIN.union(PROCESSES);

/// What a command still needs once it is set up. By default, nothing.
#[derive(Clone, Debug, Default)]
pub struct Needs {
    /// Kernel programs run.
    pub tracing: bool,
    /// Other processes are read in /proc.
    pub processes: bool,
    /// One thread enters namespaces and starts helpers.
    pub entering: bool,
    /// Something is still set up: kernel programs are loaded, which takes CAP_SYS_RESOURCE before Linux
    /// 5.11 (RLIMIT_MEMLOCK), file systems of the kernel are mounted privately, or namespaces entered.
    pub setup: bool,
    /// The sockets of the container runtimes that are asked.
    pub sockets: Vec<PathBuf>,
    /// No file is opened any more.
    pub no_files: bool,
}

impl Needs {
    /// The capabilities of ordinary threads, of those that this thread has.
    pub(super) fn ordinary(&self, has: CapabilitySet) -> CapabilitySet {
        if self.needs_all(has) {
            return has;
        }
        let parts = [
            (self.tracing, TRACING),
            // CAP_SYS_ADMIN includes them, for programs that do not know them (`bpf_capable`,
            // include/linux/capability.h).
            (self.tracing && !has.contains(TRACING), CapabilitySet::SYS_ADMIN),
            (self.processes, PROCESSES),
            (self.setup, CapabilitySet::SYS_ADMIN.union(CapabilitySet::SYS_RESOURCE)),
            (self.are_sockets_foreign(), CapabilitySet::DAC_OVERRIDE),
        ];
        let needed = parts.into_iter().filter(|(is_needed, _)| *is_needed);
        needed.fold(CapabilitySet::empty(), |all, (_, part)| all | part)
    }

    /// The capabilities of the thread that enters namespaces.
    pub(super) fn entering(&self, has: CapabilitySet) -> CapabilitySet {
        if self.needs_all(has) { has } else { ENTERING }
    }

    /// Without CAP_SYS_PTRACE, a thread can read only processes that have no more capabilities than itself
    /// (`cap_ptrace_access_check`, security/commoncap.c). So it needs all that it has.
    fn needs_all(&self, has: CapabilitySet) -> bool {
        (self.processes || self.entering) && !has.contains(CapabilitySet::SYS_PTRACE)
    }

    /// Whether one of the sockets can be used only with CAP_DAC_OVERRIDE, because it belongs to
    /// another user.
    fn are_sockets_foreign(&self) -> bool {
        let are_foreign = || {
            let own = capabilities(None)?;
            // Of this thread alone, which ends.
            let effective = own.effective.difference(CapabilitySet::DAC_OVERRIDE);
            set_capabilities(None, rustix::thread::CapabilitySets { effective, ..own })?;
            Ok(self.sockets.iter().any(|path| is_denied(path)))
        };
        std::thread::scope(|scope| {
            let thread = std::thread::Builder::new().spawn_scoped(scope, are_foreign);
            // If nobody can tell, the capability stays.
            let answer: Option<io::Result<bool>> = thread.ok().and_then(|one| one.join().ok());
            answer.and_then(Result::ok).unwrap_or(true)
        })
    }
}

/// Whether this thread may not connect to the socket (unix(7)). One that is not there may be made later,
/// by root as usual.
fn is_denied(socket: &Path) -> bool {
    accessat(CWD, socket, Access::WRITE_OK, AtFlags::EACCESS) == Err(Errno::ACCESS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_need_has_its_capabilities_and_no_others() {
        let all = CapabilitySet::all();
        let of = |needs: Needs| needs.ordinary(all);
        assert_eq!(of(Needs::default()), CapabilitySet::empty());
        let tracing = Needs { tracing: true, ..Needs::default() };
        assert_eq!(of(tracing.clone()), TRACING);
        assert_eq!(
            tracing.ordinary(CapabilitySet::SYS_ADMIN),
            TRACING | CapabilitySet::SYS_ADMIN,
            "without the newer ones"
        );
        let entering = Needs { processes: true, entering: true, ..Needs::default() };
        assert_eq!(of(entering.clone()), PROCESSES);
        assert_eq!(entering.entering(all), ENTERING, "it alone has CAP_SYS_ADMIN");
        let few = CapabilitySet::SYS_ADMIN | CapabilitySet::CHOWN;
        assert_eq!((entering.ordinary(few), entering.entering(few)), (few, few));
    }

    #[test]
    fn sockets_that_everybody_may_use_need_nothing() {
        let sockets = vec!["/dev/null".into(), "/nonexistent/socket".into()];
        let needs = Needs { sockets, ..Needs::default() };
        assert_eq!(needs.ordinary(CapabilitySet::all()), CapabilitySet::empty());
    }
}
