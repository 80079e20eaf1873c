//! The path of a task's cgroup, by which user space knows the container. The programs read it here,
//! since a process that lives for a millisecond is gone before user space can read /proc.

use aya_ebpf::helpers::generated::bpf_probe_read_kernel_str;
use pfsnoop_common::cgroup::{NAME_SIZE, Name};
use pfsnoop_common::record::MAX_CGROUP_PATH;

use crate::globals::{field, offset, setting};
use crate::task::Task;
use crate::text::copied_len;

/// How many folders are searched for a container's, in all hierarchies: cgroup v1 has up to 15 beside
/// v2 (include/linux/cgroup_subsys.h, and the named one of systemd).
const MAX_SEARCHED: u32 = 64;

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

/// Writes the path of the cgroup to `to`, and its length to `len`. The folders come from the inside
/// out, with a slash behind each, and begin right inside of the innermost one that may be a container's.
/// The length is 0 if there is none, or if user space did not ask for containers.
///
/// # Safety
///
/// `to` must be valid for writes of [`MAX_CGROUP_PATH`] bytes, and aligned to eight.
#[inline(always)]
pub(crate) unsafe fn copy_path(task: Task, to: *mut u8, len: &mut u32) {
    *len = 0;
    if setting!(cgroup_names) == 0 {
        return;
    }
    // SAFETY: the caller's promise.
    unsafe {
        if let Some(inside) = find_container(task, to) {
            copy_folders(inside, to, len);
        }
    }
}

/// Searches the folders above a task for the first one that may be a container's, and returns the one
/// inside of it, or itself if it is the innermost. Runtimes give a container the same path in all
/// hierarchies that they use, but may use only some. Uses `name` to read the folders.
///
/// # Safety
///
/// As for [`copy_path`].
#[expect(clippy::cast_ptr_alignment, reason = "the callers check it")]
#[inline(always)]
unsafe fn find_container(task: Task, name: *mut u8) -> Option<*const u8> {
    let css_set: *const u8 = field(task.0, offset!(task_cgroups))?;
    let head = css_set.wrapping_add(offset!(css_set_cgrp_links) as usize);
    let mut next: *const u8 = field(css_set, offset!(css_set_cgrp_links))?;
    let (mut inside, mut node) = (core::ptr::null(), core::ptr::null());
    for _ in 0..MAX_SEARCHED {
        // The root has no parent, and no name.
        let parent: *const u8 =
            field(node, offset!(kernfs_node_parent)).unwrap_or(core::ptr::null());
        if parent.is_null() {
            if next == head {
                return None;
            }
            node = first_folder(next)?;
            inside = node;
            next = field(next, 0)?;
            continue;
        }
        // SAFETY: the caller's promise: the name is shorter than the path may be, and aligned.
        unsafe {
            let len = copy_name(node, name)?;
            if (*name.cast::<Name>()).may_be_containers(len) {
                return Some(inside);
            }
        }
        (inside, node) = (node, parent);
    }
    None
}

/// The folder that an entry of a task's list of cgroups is for.
#[inline(always)]
fn first_folder(entry: *const u8) -> Option<*const u8> {
    let link = entry.wrapping_sub(offset!(cgrp_cset_link_cgrp_link) as usize);
    let cgroup: *const u8 = field(link, offset!(cgrp_cset_link_cgrp))?;
    field(cgroup, offset!(cgroup_kn))
}

/// Writes the name of the folder, then of the one above it, and so on, while there is room.
///
/// # Safety
///
/// As for [`copy_path`].
#[inline(always)]
unsafe fn copy_folders(mut node: *const u8, to: *mut u8, len: &mut u32) {
    for _ in 0..MAX_DEPTH {
        // Read from memory, the length is any number for the verifier. It would follow each length
        // through the rest of the program otherwise.
        // SAFETY: a reference is valid.
        let used = unsafe { core::ptr::read_volatile(len) } as usize;
        if used > MAX_CGROUP_PATH - NAME_SIZE {
            return;
        }
        // SAFETY: the caller's promise, and the check of the length.
        unsafe {
            let at = to.add(used);
            let Some(name_len) = copy_name(node, at) else { return };
            at.add(name_len).write(b'/');
            core::ptr::write_volatile(len, (used + name_len + 1) as u32);
        }
        match field::<*const u8>(node, offset!(kernfs_node_parent)) {
            Some(parent) if !parent.is_null() => node = parent,
            _ => return,
        }
    }
}

/// # Safety
///
/// `to` must be valid for writes of [`NAME_SIZE`] bytes.
#[inline(always)]
unsafe fn copy_name(node: *const u8, to: *mut u8) -> Option<usize> {
    let name = field::<*const u8>(node, offset!(kernfs_node_name))?;
    // SAFETY: the caller's promise; the helper checks the other address.
    let copied = unsafe { bpf_probe_read_kernel_str(to.cast(), NAME_SIZE as u32, name.cast()) };
    copied_len::<NAME_SIZE>(copied)
}
