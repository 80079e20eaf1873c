//! The home of a process: the network namespace in which it began to run its program.
//!
//! A forwarder enters a pod's namespace to connect there, with any of its threads, even with the
//! first one. So the namespace in which a thread is at the moment does not show whether the process
//! is at home there. The namespace at the last exec does. A process that has not called exec has
//! the home of its parent, unless clone(2) made a new namespace for the process.
//!
//! Most processes of a node are at home in the host's namespace, so only the others have an entry.
//! The raw tracepoint `sched_process_fork(struct task_struct *parent, struct task_struct *child)`
//! (include/trace/events/sched.h) copies the parent's entry to the child, `sched_process_exec` sets
//! an entry, and `sched_process_exit` removes it. User space adds entries for the processes that
//! already run when pfsnoop starts.

use aya_ebpf::{
    EbpfContext as _,
    helpers::generated::bpf_get_current_task,
    macros::{map, raw_tracepoint},
    maps::{Array, HashMap},
    programs::RawTracePointContext,
};

use crate::globals::setting;
use crate::task::Task;

/// Inodes of network namespaces by pid. Not an LRU map, since that would drop the processes that live
/// long. User space sets the size, by the number of processes that this node allows. When it is full,
/// [`HOMES_INCOMPLETE`] is set.
#[map]
static HOMES: HashMap<u32, u32> = HashMap::with_max_entries(16 * 1024, 0);

/// 1 while processes may be missing from [`HOMES`]: until user space has added the processes that
/// already run, and after the map was full. While it is 1, the namespace of the first thread counts
/// as the home of a process without an entry.
#[map]
static HOMES_INCOMPLETE: Array<u32> = Array::with_max_entries(1, 0);

/// Entry point.
#[raw_tracepoint(tracepoint = "sched_process_fork")]
fn sched_process_fork(ctx: RawTracePointContext) -> i32 {
    try_fork(&ctx);
    0
}

#[inline(always)]
fn try_fork(ctx: &RawTracePointContext) -> Option<()> {
    let child = Task(ctx.arg::<*const u8>(1));
    let pid = child.pid()?;
    let is_thread = child.tid()? != pid;
    if is_thread {
        return None;
    }
    let netns = child.netns()?;
    let inherited = noted(ctx.tgid());
    let host = setting!(host_netns);
    if netns == inherited.unwrap_or(host) {
        // The usual case needs no look at the parent.
        note(pid, netns);
        return None;
    }
    // SAFETY: the helper takes nothing.
    let parent = Task(unsafe { bpf_get_current_task() } as *const u8);
    let is_new = parent.netns()? != netns;
    note(pid, if is_new { netns } else { inherited.unwrap_or(host) });
    Some(())
}

/// Notes the home of a process that has just called exec.
#[inline(always)]
pub(crate) fn settle(pid: u32, task: Task) {
    if setting!(host_netns) == 0 {
        return;
    }
    let Some(netns) = task.netns() else { return };
    if netns == setting!(host_netns) {
        leave(pid);
    } else {
        note(pid, netns);
    }
}

/// Forgets the home of a process that has ended, or that is at home in the host's namespace.
#[inline(always)]
pub(crate) fn leave(pid: u32) {
    if setting!(host_netns) != 0 && noted(pid).is_some() {
        let _ = HOMES.remove(pid);
    }
}

/// The home of a process. `leader` is its first thread.
#[inline(always)]
pub(crate) fn home_of(pid: u32, leader: Task) -> Option<u32> {
    let host = setting!(host_netns);
    noted(pid).or_else(|| if host == 0 || is_incomplete() { leader.netns() } else { Some(host) })
}

#[inline(always)]
fn noted(pid: u32) -> Option<u32> {
    // SAFETY: the value is copied at once.
    unsafe { HOMES.get(pid) }.copied()
}

#[inline(always)]
fn note(pid: u32, netns: u32) {
    if netns == setting!(host_netns) || HOMES.insert(pid, netns, 0).is_ok() {
        return;
    }
    if let Some(is_incomplete) = HOMES_INCOMPLETE.get_ptr_mut(0) {
        // SAFETY: a map value is valid while the program runs. All writers write the same.
        unsafe { is_incomplete.write_volatile(1) };
    }
}

#[inline(always)]
fn is_incomplete() -> bool {
    // SAFETY: a map value is valid while the program runs.
    HOMES_INCOMPLETE.get_ptr(0).is_none_or(|value| unsafe { value.read_volatile() } != 0)
}
