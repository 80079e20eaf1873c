//! The pages of the program's own file.

use std::ffi::{c_int, c_void};

use rustix::mm::{Advice, madvise};

/// Gives back the pages that are not in use. A command that has started needs a part of what its start
/// needed.
pub fn give_back() {
    // SAFETY: the callback fits the signature, and the data that it takes is unused.
    unsafe { libc::dl_iterate_phdr(Some(give_back_file), std::ptr::null_mut()) };
}

/// Drops the pages of the program and of its constants, the kernel's object among them. Of these
/// megabytes, running needs a part, which comes back by itself from the page cache.
unsafe extern "C" fn give_back_file(
    program: *mut libc::dl_phdr_info,
    _size: usize,
    _data: *mut c_void,
) -> c_int {
    // SAFETY: libc passes a valid description of a loaded object, with so many headers.
    let (base, headers) = unsafe {
        let libc::dl_phdr_info { dlpi_addr, dlpi_phdr, dlpi_phnum, .. } = *program;
        (dlpi_addr, std::slice::from_raw_parts(dlpi_phdr, usize::from(dlpi_phnum)))
    };
    let page = rustix::param::page_size();
    for header in headers {
        let is_constant = header.p_type == libc::PT_LOAD && header.p_flags & libc::PF_W == 0;
        let range = (usize::try_from(base + header.p_vaddr), usize::try_from(header.p_memsz));
        let (true, (Ok(start), Ok(len))) = (is_constant, range) else { continue };
        let pages = start / page * page..(start + len).next_multiple_of(page);
        let at = std::ptr::without_provenance_mut(pages.start);
        // SAFETY: a segment that cannot be written to has its own pages (elf(5)), and they are as
        // they are in the file, so a later read finds the same bytes.
        let _ = unsafe { madvise(at, pages.len(), Advice::LinuxDontNeed) };
    }
    // Ends with the first object, which is the program itself.
    1
}
