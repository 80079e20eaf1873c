//! The path of a task's cgroup, by which user space knows the container. The programs read it here,
//! since a process that lives for a millisecond is gone before user space can read /proc.

use aya_ebpf::{
    helpers::generated::{bpf_probe_read_kernel, bpf_probe_read_kernel_str},
    macros::map,
    maps::PerCpuArray,
};
use pfsnoop_common::cgroup::{NAME_SIZE, Name};
use pfsnoop_common::record::MAX_CGROUP_PATH;

use crate::globals::{field, offset, pointer, setting};
use crate::task::Task;
use crate::text::{bounded, copied_len};

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
/// `to` must be valid for writes of [`MAX_CGROUP_PATH`] bytes.
#[inline(always)]
pub(crate) unsafe fn copy_path(task: Task, to: *mut u8, len: &mut u32) {
    *len = 0;
    if setting!(cgroup_names) == 0 {
        return;
    }
    let Some(search) = SEARCH.get_ptr_mut(0) else { return };
    // SAFETY: the value belongs to this CPU, and this program does not interrupt itself.
    let search = unsafe { &mut *search };
    search.begin(task);
    for _ in 0..MAX_SEARCHED {
        match next_searched() {
            Step::GO_ON => {}
            Step::FOUND => {
                copy_folders();
                let used = bounded::<MAX_CGROUP_PATH>(search.len) as u32;
                // SAFETY: the caller's promise, and the bound.
                unsafe { bpf_probe_read_kernel(to.cast(), used, (&raw const search.path).cast()) };
                *len = used;
                return;
            }
            _ => return,
        }
    }
}

/// A search for a container's folder above a task, and the path of what it finds. Runtimes give a
/// container the same path in all hierarchies that they use, but may use only some.
#[repr(C)]
struct Search {
    /// The task's list of cgroups, and the entry that is next.
    head: *const u8,
    next: *const u8,
    /// The folder that is looked at, and the one inside of it, or itself if it is the innermost.
    node: *const u8,
    inside: *const u8,
    /// How much of the path is there.
    len: u64,
    /// The path. During the search, the name of a folder.
    path: [u64; MAX_CGROUP_PATH / 8],
}

// SAFETY: each CPU has a value of its own, and the pointers are only numbers here.
unsafe impl Sync for Search {}

#[map]
static SEARCH: PerCpuArray<Search> = PerCpuArray::with_max_entries(1, 0);

/// What a step of the search, or of the copy, has come to. A number, since it crosses functions that
/// the verifier looks at one by one.
struct Step;

impl Step {
    const END: u64 = 0;
    const GO_ON: u64 = 1;
    const FOUND: u64 = 2;
}

/// Looks at the next folder. The verifier follows a global function once, and not once for each
/// call: the search would be most of a program's load time otherwise. Such a function takes and
/// returns numbers (Documentation/bpf/verifier.rst; pointers only since Linux 5.13).
#[unsafe(no_mangle)]
#[inline(never)]
extern "C" fn next_searched() -> u64 {
    let Some(search) = SEARCH.get_ptr_mut(0) else { return Step::END };
    // SAFETY: as in `copy_path`.
    unsafe { (*search).look_further() }
}

/// Copies the name of the innermost folder, then of the one above it, and so on, while there is room.
#[inline(always)]
fn copy_folders() {
    for _ in 0..MAX_DEPTH {
        if next_copied() != Step::GO_ON {
            return;
        }
    }
}

/// Copies the name of the next folder.
#[unsafe(no_mangle)]
#[inline(never)]
extern "C" fn next_copied() -> u64 {
    let Some(search) = SEARCH.get_ptr_mut(0) else { return Step::END };
    // SAFETY: as in `copy_path`.
    unsafe { (*search).copy_folder() }
}

impl Search {
    #[inline(always)]
    fn begin(&mut self, task: Task) {
        let css_set = pointer(task.0, offset!(task_cgroups));
        self.head = css_set.wrapping_add(offset!(css_set_cgrp_links) as usize);
        self.next = pointer(self.head, 0);
        self.node = core::ptr::null();
        self.len = 0;
    }

    /// Looks at the folder above the last one or, behind a root, at the first one of the next
    /// hierarchy.
    #[inline(always)]
    fn look_further(&mut self) -> u64 {
        // The root has no parent, and no name.
        let parent = pointer(self.node, offset!(kernfs_node_parent));
        if parent.is_null() {
            if self.next == self.head {
                return Step::END;
            }
            self.node = first_folder(self.next);
            self.inside = self.node;
            self.next = pointer(self.next, 0);
            return Step::GO_ON;
        }
        let Some(len) = copy_name(self.node, (&raw mut self.path).cast()) else { return Step::END };
        // SAFETY: the name is not longer than the path may be, and as aligned.
        if unsafe { (*(&raw const self.path).cast::<Name>()).may_be_containers(len) } {
            return Step::FOUND;
        }
        (self.inside, self.node) = (self.node, parent);
        Step::GO_ON
    }

    #[inline(always)]
    fn copy_folder(&mut self) -> u64 {
        let used = self.len as usize;
        if used > MAX_CGROUP_PATH - NAME_SIZE {
            return Step::END;
        }
        // SAFETY: there is room for a name.
        unsafe {
            let at = (&raw mut self.path).cast::<u8>().add(used);
            let Some(len) = copy_name(self.inside, at) else { return Step::END };
            at.add(len).write(b'/');
            self.len = (used + len + 1) as u64;
        }
        self.inside = pointer(self.inside, offset!(kernfs_node_parent));
        if self.inside.is_null() { Step::END } else { Step::GO_ON }
    }
}

/// The folder that an entry of a task's list of cgroups is for.
#[inline(always)]
fn first_folder(entry: *const u8) -> *const u8 {
    let link = entry.wrapping_sub(offset!(cgrp_cset_link_cgrp_link) as usize);
    pointer(pointer(link, offset!(cgrp_cset_link_cgrp)), offset!(cgroup_kn))
}

/// `to` must be valid for writes of [`NAME_SIZE`] bytes.
#[inline(always)]
fn copy_name(node: *const u8, to: *mut u8) -> Option<usize> {
    let name = pointer(node, offset!(kernfs_node_name));
    // SAFETY: the caller's promise; the helper checks the other address.
    let copied = unsafe { bpf_probe_read_kernel_str(to.cast(), NAME_SIZE as u32, name.cast()) };
    copied_len::<NAME_SIZE>(copied)
}
