//! The filters that the kernel programs apply. A process that does not pass them makes no record.

use aya_ebpf::EbpfContext;
use pfsnoop_common::record::Ring;
use pfsnoop_common::settings::{comm_contains, comm_words, filters};

use crate::cgroup;
use crate::emit::ring_of;
use crate::globals::setting;
use crate::task::Task;

/// Whether the current task passes every filter that the user set.
#[inline(always)]
pub(crate) fn passes<C: EbpfContext>(ctx: &C, task: Task) -> bool {
    let wanted = setting!(filters);
    if wanted & filters::COMM != 0 && !comm_passes(ctx) {
        return false;
    }
    if wanted & filters::HELPERS != 0 && !is_helper(ctx) {
        return false;
    }
    if wanted & filters::UID != 0 && ctx.uid() != setting!(uid) {
        return false;
    }
    if wanted & filters::PPID != 0 {
        let (ppid, pidns) = (setting!(ppid), setting!(ppid_pidns));
        if !task.parent().is_some_and(|parent| parent.is_process(ppid, pidns)) {
            return false;
        }
    }
    wanted & filters::CGROUP == 0 || cgroup::is_below(task, setting!(cgroup_id))
}

/// Whether the current task is a helper: nsenter or socat.
#[inline(always)]
pub(crate) fn is_helper<C: EbpfContext>(ctx: &C) -> bool {
    ctx.command().is_ok_and(|comm| ring_of(&comm) == Ring::Helpers)
}

#[inline(always)]
fn comm_passes<C: EbpfContext>(ctx: &C) -> bool {
    // The helper pads with zeroes, which `task_struct.comm` itself did not before Linux 5.17.
    let Ok(comm) = ctx.command() else {
        return false;
    };
    let mask = [setting!(comm_mask)[0], setting!(comm_mask)[1]];
    comm_contains(comm_words(&comm), setting!(comm), mask)
}
