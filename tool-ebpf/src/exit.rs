//! Ends of processes: the raw tracepoint `sched_process_exit(struct task_struct *p)`
//! (include/trace/events/sched.h), which `do_exit` (kernel/exit.c) fires for every thread.
//!
//! Only the last thread's end is the process's: a thread that execs ends all others, the first one
//! among them, and the process lives on.

use aya_ebpf::{
    EbpfContext as _, helpers::generated::bpf_ktime_get_boot_ns, macros::raw_tracepoint,
    programs::RawTracePointContext,
};
use pfsnoop_common::record::{COMM_LEN, ExitRecord, Kind};

use crate::emit::{self, Urgency, ring_of};
use crate::task::Task;

/// Entry point.
#[raw_tracepoint(tracepoint = "sched_process_exit")]
fn sched_process_exit(ctx: RawTracePointContext) -> i32 {
    try_exit(&ctx);
    0
}

#[inline(always)]
fn try_exit(ctx: &RawTracePointContext) -> Option<()> {
    let task = Task(ctx.arg::<*const u8>(0));
    if task.live_threads()? != 0 {
        return None;
    }
    let leader = task.leader()?;
    let parent = leader.parent();
    let record = ExitRecord {
        kind: Kind::Exit as u32,
        pid: ctx.tgid(),
        // SAFETY: the helper takes nothing.
        time_ns: unsafe { bpf_ktime_get_boot_ns() },
        start_ns: leader.start_ns().unwrap_or(0),
        wait_status: task.wait_status()?,
        ppid: parent.and_then(Task::pid).unwrap_or(0),
        uid: ctx.uid(),
        reserved: 0,
        comm: leader.comm().unwrap_or([0; COMM_LEN]),
    };
    // SAFETY: the record is on the stack and of that size.
    unsafe {
        emit::output(
            ring_of(&record.comm),
            Urgency::Batch,
            &raw const record,
            size_of::<ExitRecord>(),
        );
    };
    Some(())
}
