//! The name of a task's cgroup, into which runtimes write the container's id. The programs read it
//! here, since a process that lives for a millisecond is gone before user space can read /proc.

use aya_ebpf::helpers::generated::bpf_probe_read_kernel_str;
use pfsnoop_common::record::MAX_CGROUP_NAME;

use crate::globals::{field, offset, setting};
use crate::task::Task;
use crate::text::copied_len;

/// A container id has 64 digits, so a shorter name holds none.
const ID_LEN: usize = 64;

/// How many hierarchies of cgroup v1 are read: cpuset, cpu, cpuacct and blkio
/// (include/linux/cgroup_subsys.h). Runtimes give a container the same name in all of them.
const MAX_SUBSYS: u32 = 4;

/// How many levels of folders are followed upwards. The kernel sets no limit; a container's cgroup
/// is about ten levels below the root.
const MAX_DEPTH: u32 = 64;

/// Whether the task is in the cgroup (v2) with that id, or in one below it. Follows the folders from
/// the task's own to the root: before Linux 5.14, tracing programs may not call
/// `bpf_get_current_ancestor_cgroup_id`.
#[inline(always)]
pub(crate) fn is_below(task: Task, id: u64) -> bool {
    let css_set = field::<*const u8>(task.0, offset!(task_cgroups));
    let cgroup = css_set.and_then(|set| field::<*const u8>(set, offset!(css_set_dfl_cgrp)));
    let mut node = cgroup.and_then(|cgroup| field::<*const u8>(cgroup, offset!(cgroup_kn)));
    for _ in 0..MAX_DEPTH {
        let Some(at) = node else { return false };
        if field::<u64>(at, offset!(kernfs_node_id)) == Some(id) {
            return true;
        }
        node = field(at, offset!(kernfs_node_parent));
    }
    false
}

/// Writes the name that may hold a container id, without NUL, and returns its length. Returns 0 if
/// there is none, or if user space did not ask for names.
///
/// # Safety
///
/// `to` must be valid for writes of [`MAX_CGROUP_NAME`] bytes.
#[inline(always)]
pub(crate) unsafe fn copy_name(task: Task, to: *mut u8) -> usize {
    if setting!(cgroup_names) == 0 {
        return 0;
    }
    // SAFETY: the caller's promise.
    unsafe { try_copy_name(task, to) }.unwrap_or(0)
}

#[inline(always)]
unsafe fn try_copy_name(task: Task, to: *mut u8) -> Option<usize> {
    let css_set: *const u8 = field(task.0, offset!(task_cgroups))?;
    let default = field(css_set, offset!(css_set_dfl_cgrp))?;
    // SAFETY: the caller's promise.
    let len = unsafe { copy_id(default, to) };
    if len > 0 {
        return Some(len);
    }
    let (first, end) = (offset!(css_set_subsys), offset!(css_set_refcount));
    for index in 0..MAX_SUBSYS {
        let at = first + index * size_of::<u64>() as u32;
        if at >= end {
            break;
        }
        let css: *const u8 = field(css_set, at)?;
        // A hierarchy that is not in use has no state here.
        let Some(cgroup) = field(css, offset!(css_cgroup)) else { continue };
        // SAFETY: the caller's promise.
        let len = unsafe { copy_id(cgroup, to) };
        if len > 0 {
            return Some(len);
        }
    }
    None
}

/// Copies the name of the cgroup, or of the folder above if the cgroup is inside a container's.
#[inline(always)]
unsafe fn copy_id(cgroup: *const u8, to: *mut u8) -> usize {
    let Some(node) = field::<*const u8>(cgroup, offset!(cgroup_kn)) else { return 0 };
    // SAFETY: the caller's promise.
    let len = unsafe { copy_long_name(node, to) };
    if len > 0 {
        return len;
    }
    let Some(parent) = field(node, offset!(kernfs_node_parent)) else { return 0 };
    // SAFETY: the caller's promise.
    unsafe { copy_long_name(parent, to) }
}

#[inline(always)]
unsafe fn copy_long_name(node: *const u8, to: *mut u8) -> usize {
    let Some(name) = field::<*const u8>(node, offset!(kernfs_node_name)) else { return 0 };
    // SAFETY: the caller's promise; the helper checks the other address.
    let copied =
        unsafe { bpf_probe_read_kernel_str(to.cast(), MAX_CGROUP_NAME as u32, name.cast()) };
    let len = copied_len::<MAX_CGROUP_NAME>(copied).unwrap_or(0);
    if len < ID_LEN { 0 } else { len }
}
