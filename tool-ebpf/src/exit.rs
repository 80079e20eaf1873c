//! Ends of processes: the raw tracepoint `sched_process_exit(struct task_struct *p)`
//! (include/trace/events/sched.h), which `do_exit` (kernel/exit.c) fires for every thread.
//!
//! Only the last thread's end is the process's: a thread that execs ends all others, the first one
//! among them, and the process lives on. Two threads that end together may both look like the last:
//! `signal->live` has been counted down before the tracepoint. So each process's end is claimed in a
//! map, which only one of them can do.

use aya_ebpf::{
    EbpfContext as _,
    bindings::BPF_NOEXIST,
    helpers::generated::bpf_ktime_get_boot_ns,
    macros::{map, raw_tracepoint},
    maps::LruHashMap,
    programs::RawTracePointContext,
};
use pfsnoop_common::record::{COMM_LEN, ExitRecord, Kind, LossCount, Ring};
use pfsnoop_common::settings::filters;

use crate::emit::{self, Urgency, ring_of};
use crate::globals::setting;
use crate::task::Task;

/// Entry point.
#[raw_tracepoint(tracepoint = "sched_process_exit")]
fn sched_process_exit(ctx: RawTracePointContext) -> i32 {
    try_exit(&ctx);
    0
}

/// Processes whose end is wanted, start by pid: those whose exec passed the filters, and those that
/// connect into another network namespace. Only with filters; without, every end is wanted.
#[map]
static PASSED: LruHashMap<u32, u64> = LruHashMap::with_max_entries(16 * 1024, 0);

/// Ends that were reported a moment ago: start by pid.
#[map]
static ENDED: LruHashMap<u32, u64> = LruHashMap::with_max_entries(1024, 0);

/// An exec of this process, or a connection out of its namespace, was reported.
#[inline(always)]
pub(crate) fn expect_end(pid: u32, start_ns: u64) {
    let is_wanted = setting!(ends) != 0 && setting!(filters) != 0;
    if is_wanted && PASSED.insert(pid, start_ns, 0).is_err() {
        // Its end will not be told.
        emit::count_lost(LossCount::Processes);
    }
}

/// Whether this end is wanted and nobody else reports it.
#[inline(always)]
fn claim_end(pid: u32, start_ns: u64) -> bool {
    if setting!(filters) != 0 {
        return PASSED.remove(pid).is_ok();
    }
    if ENDED.insert(pid, start_ns, u64::from(BPF_NOEXIST)).is_ok() {
        return true;
    }
    // The pid's last process, or this one's other thread?
    // SAFETY: the value is copied at once.
    let is_other = unsafe { ENDED.get(pid) }.is_none_or(|&ended| ended != start_ns);
    is_other && ENDED.insert(pid, start_ns, 0).is_ok()
}

/// The ring buffer for an end. Where only helpers and forwarders are wanted, that of their
/// connections, so that they stay in order.
#[inline(always)]
fn ring_of_end(comm: &[u8; COMM_LEN]) -> Ring {
    if setting!(filters) & filters::HELPERS != 0 { Ring::Helpers } else { ring_of(comm) }
}

#[inline(always)]
fn try_exit(ctx: &RawTracePointContext) -> Option<()> {
    let task = Task(ctx.arg::<*const u8>(0));
    if task.live_threads()? != 0 {
        return None;
    }
    let leader = task.leader()?;
    let start_ns = leader.start_ns().unwrap_or(0);
    if !claim_end(ctx.tgid(), start_ns) {
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
        reserved: 0,
        comm: leader.comm().unwrap_or([0; COMM_LEN]),
    };
    // SAFETY: the record is on the stack and of that size.
    unsafe {
        emit::output(
            ring_of_end(&record.comm),
            Urgency::Usual,
            &raw const record,
            size_of::<ExitRecord>(),
        );
    };
    Some(())
}
