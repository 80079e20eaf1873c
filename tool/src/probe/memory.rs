//! Gives back the memory that loading took.

/// aya's loader parses all of the kernel's types whether it needs them or not. The tens of
/// megabytes are free again by now, but the allocator would keep them.
pub(super) fn give_back_heap() {
    // SAFETY: the call takes a number and touches only free memory.
    #[cfg(target_env = "gnu")]
    unsafe {
        libc::malloc_trim(0);
    }
}

/// Drops the pages of our own file that hold the object: a megabyte that is not read again. If it
/// is, the pages come back by themselves.
pub(super) fn give_back_pages_of(object: &'static [u8]) {
    let page = rustix::param::page_size();
    let start = object.as_ptr_range().start.addr().next_multiple_of(page);
    let skipped = start - object.as_ptr().addr();
    let len = object.len().saturating_sub(skipped) / page * page;
    if let Some(whole_pages) = object.get(skipped..skipped + len) {
        let at = whole_pages.as_ptr().cast_mut().cast();
        // SAFETY: these are whole pages of a mapping of our own file, which is never written to, so
        // a later read finds the same bytes.
        let _ = unsafe { rustix::mm::madvise(at, len, rustix::mm::Advice::LinuxDontNeed) };
    }
}
