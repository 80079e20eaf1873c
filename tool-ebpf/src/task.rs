//! Facts about a task, read from `task_struct` (include/linux/sched.h).

use aya_ebpf::{EbpfContext, helpers::generated::bpf_get_current_cgroup_id};
use pfsnoop_common::record::{COMM_LEN, ExecHeader, UNKNOWN_UID};
use pfsnoop_common::shares;

use crate::globals::{field, offset, setting};
use crate::share;

/// A `struct task_struct *` from the kernel.
#[derive(Clone, Copy)]
pub(crate) struct Task(pub(crate) *const u8);

impl Task {
    /// The process's id (the kernel's tgid).
    #[inline(always)]
    pub(crate) fn pid(self) -> Option<u32> {
        field(self.0, offset!(task_tgid))
    }

    /// The thread's id (the kernel's pid).
    #[inline(always)]
    pub(crate) fn tid(self) -> Option<u32> {
        field(self.0, offset!(task_pid))
    }

    /// The first thread of the process.
    #[inline(always)]
    pub(crate) fn leader(self) -> Option<Self> {
        field(self.0, offset!(task_group_leader)).map(Self)
    }

    /// The first thread of the parent process. `real_parent` stays the parent even while a debugger
    /// traces the task.
    #[inline(always)]
    pub(crate) fn parent(self) -> Option<Self> {
        field(self.0, offset!(task_real_parent)).map(Self)?.leader()
    }

    /// The thread's name, padded with zeroes.
    #[inline(always)]
    pub(crate) fn comm(self) -> Option<[u8; COMM_LEN]> {
        field(self.0, offset!(task_comm))
    }

    /// The real user id, as the initial user namespace numbers it. So does `bpf_get_current_uid_gid`
    /// (kernel/bpf/helpers.c) for the current task.
    #[inline(always)]
    fn uid(self) -> Option<u32> {
        let cred: *const u8 = field(self.0, offset!(task_real_cred))?;
        field(cred, offset!(cred_uid))
    }

    /// Start time of the process in nanoseconds of `CLOCK_BOOTTIME`.
    #[inline(always)]
    pub(crate) fn start_ns(self) -> Option<u64> {
        field(self.leader()?.0, offset!(task_start_boottime))
    }

    /// The address of the memory: a `struct mm_struct *`.
    #[inline(always)]
    pub(crate) fn mm(self) -> Option<u64> {
        field(self.0, offset!(task_mm))
    }

    /// How many threads have not ended (`signal->live`): 0 at the end of the last one.
    #[inline(always)]
    pub(crate) fn live_threads(self) -> Option<u32> {
        let signal: *const u8 = field(self.0, offset!(task_signal))?;
        field(signal, offset!(signal_live))
    }

    /// The status that the parent will get from wait(2): `wait_task_zombie` (kernel/exit.c).
    #[inline(always)]
    pub(crate) fn wait_status(self) -> Option<u32> {
        /// A signal or exit_group(2) ended all threads together (include/linux/sched/signal.h).
        const SIGNAL_GROUP_EXIT: u32 = 4;
        let signal: *const u8 = field(self.0, offset!(task_signal))?;
        let flags: u32 = field(signal, offset!(signal_flags))?;
        if flags & SIGNAL_GROUP_EXIT != 0 {
            return field(signal, offset!(signal_group_exit_code));
        }
        field(self.leader()?.0, offset!(task_exit_code))
    }

    /// The range of the process's arguments in its memory: first byte, and byte after the last.
    #[inline(always)]
    pub(crate) fn args(self) -> Option<(u64, u64)> {
        let mm: *const u8 = field(self.0, offset!(task_mm))?;
        Some((field(mm, offset!(mm_arg_start))?, field(mm, offset!(mm_arg_end))?))
    }

    /// The network namespace: a `struct net *`.
    #[inline(always)]
    pub(crate) fn net(self) -> Option<*const u8> {
        let nsproxy: *const u8 = field(self.0, offset!(task_nsproxy))?;
        field(nsproxy, offset!(nsproxy_net_ns))
    }

    /// Whether the task is ending, and the kernel closes its files (`PF_EXITING`,
    /// include/linux/sched.h).
    #[inline(always)]
    pub(crate) fn is_ending(self) -> bool {
        const PF_EXITING: u32 = 4;
        field::<u32>(self.0, offset!(task_flags)).is_some_and(|flags| flags & PF_EXITING != 0)
    }

    /// Inode of the network namespace.
    #[inline(always)]
    pub(crate) fn netns(self) -> Option<u32> {
        field(self.net()?, offset!(net_ns_inum))
    }

    /// Whether this is a kernel thread, which has no memory of its own.
    #[inline(always)]
    pub(crate) fn is_kernel_thread(self) -> bool {
        self.mm().is_none_or(|mm| mm == 0)
    }

    /// Inode of the mount namespace.
    #[inline(always)]
    pub(crate) fn mntns(self) -> Option<u32> {
        let nsproxy: *const u8 = field(self.0, offset!(task_nsproxy))?;
        field(field(nsproxy, offset!(nsproxy_mnt_ns))?, offset!(mnt_namespace_ns_inum))
    }

    /// Inode of the pid namespace that the task is in: `task_active_pid_ns` (kernel/pid.c), not
    /// `nsproxy->pid_ns_for_children`.
    #[inline(always)]
    fn pidns(self) -> Option<u32> {
        field(field(self.upid()?, offset!(upid_ns))?, offset!(pid_namespace_ns_inum))
    }

    /// Inode of the outermost pid namespace of the task below the first one, if that belongs to the first
    /// user namespace: the host's root has made it.
    #[inline(always)]
    pub(crate) fn outermost_pidns(self) -> Option<u32> {
        let pid: *const u8 = field(self.0, offset!(task_thread_pid))?;
        if field::<u32>(pid, offset!(pid_level))? == 0 {
            return None;
        }
        let upid = pid
            .wrapping_add(offset!(pid_numbers) as usize)
            .wrapping_add(offset!(upid_size) as usize);
        let namespace: *const u8 = field(upid, offset!(upid_ns))?;
        let owner: *const u8 = field(namespace, offset!(pid_namespace_user_ns))?;
        if share::level_of(owner)? == 0 {
            field(namespace, offset!(pid_namespace_ns_inum))
        } else {
            None
        }
    }

    /// The task's number in its own pid namespace (`struct upid`, include/linux/pid.h).
    #[inline(always)]
    fn upid(self) -> Option<*const u8> {
        let pid: *const u8 = field(self.0, offset!(task_thread_pid))?;
        let level: u32 = field(pid, offset!(pid_level))?;
        let upid = pid
            .wrapping_add(offset!(pid_numbers) as usize)
            .wrapping_add(level as usize * offset!(upid_size) as usize);
        Some(upid)
    }

    /// Whether this is the first thread of a process with that pid: in the pid namespace with that inode,
    /// which must be the process's own, or for 0 as the kernel itself numbers processes.
    #[inline(always)]
    pub(crate) fn is_process(self, pid: u32, pidns: u32) -> bool {
        if pidns == 0 {
            return self.pid() == Some(pid);
        }
        // `nr` is the first member of `struct upid`.
        self.pidns() == Some(pidns)
            && self.leader().and_then(Self::upid).and_then(|upid| field(upid, 0)) == Some(pid)
    }

    /// Writes the fields that identify the task. The caller adds what happened to it.
    ///
    /// The task must be the current one.
    #[inline(always)]
    pub(crate) fn identify<C: EbpfContext>(self, ctx: &C, header: &mut ExecHeader) {
        header.pid = ctx.tgid();
        header.tid = ctx.pid();
        header.uid = ctx.uid();
        header.gid = ctx.gid();
        // SAFETY: the helper takes no arguments and only reads the current task.
        header.cgroup_id = unsafe { bpf_get_current_cgroup_id() };
        header.start_ns = self.start_ns().unwrap_or(0);
        header.netns = self.netns().unwrap_or(0);
        header.mntns = self.mntns().unwrap_or(0);
        header.pidns = self.pidns().unwrap_or(0);
        header.comm = ctx.command().unwrap_or_default();
        header.share = shares::HOST;
        if setting!(host_netns) != 0 {
            // Connections are traced: a helper begins a session.
            header.share = share::of(self, header.netns);
        }
        header.reserved = 0;
        header.ppid = 0;
        header.parent_uid = UNKNOWN_UID;
        header.parent_comm = [0; COMM_LEN];
        if let Some(parent) = self.parent() {
            header.ppid = parent.pid().unwrap_or(0);
            header.parent_uid = parent.uid().unwrap_or(UNKNOWN_UID);
            header.parent_comm = parent.comm().unwrap_or_default();
        }
    }
}
