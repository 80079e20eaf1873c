//! Ends of processes: the raw tracepoint `sched_process_exit(struct task_struct *p)`
//! (include/trace/events/sched.h), which `do_exit` (kernel/exit.c) fires for every thread.
//!
//! A process ends with its last thread. A thread that execs ends all others, even the first one, and
//! the process goes on. Two threads that end together may both look like the last one, since
//! `signal->live` is counted down before the tracepoint. So the end of each process is claimed in a
//! map, and only one thread succeeds.

use aya_ebpf::{
    EbpfContext as _,
    bindings::BPF_NOEXIST,
    helpers::generated::bpf_ktime_get_boot_ns,
    macros::{map, raw_tracepoint},
    maps::{HashMap, LruHashMap},
    programs::RawTracePointContext,
};
use pfsnoop_common::record::{COMM_LEN, ExitRecord, Kind, LossCount, Ring};
use pfsnoop_common::settings::filters;
use pfsnoop_common::shares;

use crate::attached;
use crate::emit::{self, Urgency, ring_of};
use crate::failed_exec;
use crate::globals::setting;
use crate::home;
use crate::share;
use crate::task::Task;

/// Entry point.
#[raw_tracepoint(tracepoint = "sched_process_exit")]
fn sched_process_exit(ctx: RawTracePointContext) -> i32 {
    try_exit(&ctx);
    0
}

/// Processes to report the end of, as start time by pid: their exec passed the filters, or they
/// connected into another network namespace. Used only with filters; without, every end is reported.
/// Not an LRU map, since that would drop the processes that live long. The end of each process
/// removes its entry. User space sets the size, by the number of processes that this node allows.
#[map]
static PASSED: HashMap<u32, u64> = HashMap::with_max_entries(16 * 1024, 0);

/// Processes with an end that was just reported, as start time by pid. An entry matters only while
/// the last threads of its process end together. No end is lost when the map drops an entry; an end
/// would be reported twice if thousands of processes ended in that moment.
#[map]
static ENDED: LruHashMap<u32, u64> = LruHashMap::with_max_entries(8 * 1024, 0);

/// Remembers to report the end of a process, after its exec or its connection into another
/// namespace was reported.
#[inline(always)]
pub(crate) fn expect_end(pid: u32, start_ns: u64, share: u32) {
    let is_wanted = setting!(ends) != 0 && setting!(filters) != 0;
    if is_wanted && PASSED.insert(pid, start_ns, 0).is_err() {
        // Its end will not be reported.
        emit::count_lost(LossCount::Processes, share);
    }
}

/// Whether this end must be reported, and no other thread reports it.
#[inline(always)]
fn claim_end(pid: u32, start_ns: u64) -> bool {
    if setting!(filters) != 0 {
        // SAFETY: the value is compared at once.
        let is_it = unsafe { PASSED.get(pid) }.is_some_and(|&passed| passed == start_ns);
        return PASSED.remove(pid).is_ok() && is_it;
    }
    if ENDED.insert(pid, start_ns, u64::from(BPF_NOEXIST)).is_ok() {
        return true;
    }
    // The entry is of another thread of this process, or of an earlier process with the same pid.
    // SAFETY: the value is compared at once.
    let is_other = unsafe { ENDED.get(pid) }.is_none_or(|&ended| ended != start_ns);
    is_other && ENDED.insert(pid, start_ns, 0).is_ok()
}

/// The ring buffer for an end. If only helpers and forwarders are traced, it is the one of their
/// connections, so that connection and process end in order.
#[inline(always)]
fn ring_of_end(comm: &[u8; COMM_LEN]) -> Ring {
    if setting!(filters) & filters::HELPERS != 0 { Ring::Helpers } else { ring_of(comm) }
}

/// Where the process was at its end, for an nsenter that finds no socat. The kernel takes the namespaces
/// away later (`exit_task_namespaces`, kernel/exit.c).
#[inline(always)]
fn netns_at_end(task: Task) -> u32 {
    if setting!(host_netns) == 0 { 0 } else { task.netns().unwrap_or(0) }
}

/// Its share of the ring buffer, where connections are traced: the same as that of its connections. By
/// now its last thread may be in another network namespace than at home.
#[inline(always)]
fn share_of(leader: Task, home: Option<u32>) -> u32 {
    if setting!(host_netns) == 0 { shares::HOST } else { share::of(leader, home.unwrap_or(0)) }
}

#[inline(always)]
fn try_exit(ctx: &RawTracePointContext) -> Option<()> {
    let task = Task(ctx.arg::<*const u8>(0));
    failed_exec::forget(task);
    if task.live_threads()? != 0 {
        return None;
    }
    let leader = task.leader();
    let home = leader.and_then(|leader| home::home_of(ctx.tgid(), leader));
    home::leave(ctx.tgid());
    if !attached::all() || setting!(ends) == 0 {
        return None;
    }
    let leader = leader?;
    let start_ns = leader.start_ns().unwrap_or(0);
    if !claim_end(ctx.tgid(), start_ns) {
        return None;
    }
    let netns = netns_at_end(task);
    let comm = leader.comm().unwrap_or([0; COMM_LEN]);
    let (ring, share) = (ring_of_end(&comm), share_of(leader, home));
    if emit::is_full_for(ring, share) {
        emit::count_lost(LossCount::Processes, share);
        return None;
    }
    let parent = leader.parent();
    let record = ExitRecord {
        kind: Kind::Exit as u32,
        pid: ctx.tgid(),
        // SAFETY: the helper takes nothing.
        time_ns: unsafe { bpf_ktime_get_boot_ns() },
        start_ns,
        wait_status: task.wait_status()?,
        ppid: parent.and_then(Task::pid).unwrap_or(0),
        uid: ctx.uid(),
        netns,
        comm,
    };
    // SAFETY: the record is on the stack and has that size.
    unsafe {
        emit::output(ring, Urgency::Usual, &raw const record, size_of::<ExitRecord>());
    };
    Some(())
}
