//! Completes the record of a failed exec and sends it.

use aya_ebpf::{
    helpers::generated::{bpf_probe_read_kernel, bpf_probe_read_kernel_str},
    macros::tracepoint,
    programs::TracePointContext,
};
use pfsnoop_common::record::{ExecHeader, MAX_CGROUP_PATH, MAX_FILENAME, UNREADABLE, exec_flags};

use super::args::{self, MAX_BEFORE, copy_arg, read};
use super::slot::{self, List, MAX_UNREAD, Slot};
use crate::emit::{self, Urgency, ring_of};
use crate::text::{bounded, copied_len};

/// Entry point.
#[tracepoint]
fn failed_exec_send(_ctx: TracePointContext) -> u32 {
    if let Some(slot) = slot::selected() {
        // SAFETY: the slot belongs to the call that this thread makes, and is valid while the program
        // runs.
        unsafe {
            retry(slot);
            send(slot);
            slot::give_back((*slot).number);
        }
    }
    0
}

/// Adds those arguments that can be read only now.
///
/// # Safety
///
/// `slot` must be valid, as in the function below.
#[inline(always)]
unsafe fn retry(slot: *mut Slot) {
    // SAFETY: the caller's promise; the helper checks the address, the verifier the lengths.
    unsafe {
        let header = &mut (*slot).record.header;
        let before = header.args_len;
        for index in 0..MAX_UNREAD {
            if index >= read(&raw const (*slot).retries) {
                break;
            }
            let used = read(&raw const header.args_len);
            if used > MAX_BEFORE {
                break;
            }
            let to = (&raw mut (*slot).record.args).cast::<u8>().add(used);
            let (len, _) = copy_arg(header, to, (*slot).unread[index]);
            core::ptr::write_volatile(&raw mut header.args_len, (used + len) as u32);
        }
        header.late_len = read(&raw const header.args_len) as u32 - before;
    }
}

/// Adds the file name and the cgroup's path, and sends only the bytes that are used.
///
/// # Safety
///
/// As above.
#[inline(always)]
unsafe fn send(slot: *mut Slot) -> Option<()> {
    // SAFETY: the caller's promise.
    unsafe {
        let record = &raw mut (*slot).record;
        let header = &mut (*record).header;
        header.flags |= match (*slot).list {
            list if list == List::Complete as u32 => 0,
            list if list == List::Stuck as u32 => exec_flags::ARGS_UNREADABLE,
            _ => exec_flags::ARGS_CUT,
        };
        if (*slot).filename_len == UNREADABLE {
            header.flags |= exec_flags::FILENAME_UNREADABLE;
            (*slot).filename_text[0] = 0;
        }
        let used = read(&raw const header.args_len);
        if used > args::ROOM {
            return None;
        }
        header.args_total = used as u64;
        let name = (&raw mut (*record).args).cast::<u8>().add(used);
        let from = (&raw const (*slot).filename_text).cast();
        let copied = bpf_probe_read_kernel_str(name.cast(), MAX_FILENAME as u32, from);
        let name_len = copied_len::<MAX_FILENAME>(copied).unwrap_or(0);
        header.filename_len = name_len as u32;
        let cgroup_len = bounded::<MAX_CGROUP_PATH>(u64::from(header.cgroup_len)) as usize;
        let from = (&raw const (*slot).cgroup).cast();
        bpf_probe_read_kernel(name.add(name_len).cast(), cgroup_len as u32, from);
        let size = size_of::<ExecHeader>() + used + name_len + cgroup_len;
        emit::output(ring_of(&header.comm), Urgency::Usual, record, size);
    }
    Some(())
}
