//! How the allocator keeps memory, and when it gives memory back.
//!
//! The calls are glibc's. So is the allocator of the shipped binary, which is linked statically.

use super::program_file;

/// Sets the allocator up. To be called before the first thread starts.
///
/// By itself, glibc makes a heap for each thread, and keeps up to 64 MiB of free memory once a
/// large block was freed (`M_TRIM_THRESHOLD`, mallopt(3)). Memory that one thread takes and another one
/// frees, as all events are, would stay in the first thread's heap.
pub fn set_up() {
    // SAFETY: the calls take numbers, and there is only one thread.
    #[cfg(target_env = "gnu")]
    unsafe {
        libc::mallopt(libc::M_ARENA_MAX, 1);
        // Both are the initial values. Setting them ends their growth.
        libc::mallopt(libc::M_MMAP_THRESHOLD, 128 * 1024);
        libc::mallopt(libc::M_TRIM_THRESHOLD, 128 * 1024);
    }
}

/// Gives free memory back to the kernel: also what lies between blocks that are in use.
pub fn give_back() {
    // SAFETY: the call takes a number and touches only free memory.
    #[cfg(target_env = "gnu")]
    unsafe {
        libc::malloc_trim(0);
    }
}

/// Gives back what a burst took. The start of a command counts as the first one: it takes code and memory
/// that running does not need.
#[derive(Debug)]
pub struct AfterBurst {
    /// Bytes that came since memory was given back.
    owed: usize,
    /// Bytes that came since the last check.
    recent: usize,
}

/// Less than this is not worth the call: free memory that small may be in use again soon.
const WORTH_IT: usize = 2 * 1024 * 1024;

/// While more than this comes between two checks, the burst goes on.
const CALM: usize = 512 * 1024;

impl AfterBurst {
    /// Notes that so many bytes came and were freed again, or soon will be.
    pub fn note(&mut self, bytes: usize) {
        self.owed = self.owed.saturating_add(bytes);
        self.recent = self.recent.saturating_add(bytes);
    }

    /// Gives memory back if a burst is over: free memory, and the pages of the program. To be called at
    /// regular intervals.
    pub fn check(&mut self) {
        if self.is_over() {
            give_back();
            program_file::give_back();
        }
    }

    fn is_over(&mut self) -> bool {
        let is_calm = std::mem::take(&mut self.recent) <= CALM;
        let is_over = is_calm && self.owed >= WORTH_IT;
        if is_over {
            self.owed = 0;
        }
        is_over
    }
}

impl Default for AfterBurst {
    fn default() -> Self {
        Self { owed: WORTH_IT, recent: CALM + 1 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_given_back_once_after_the_start_and_after_a_burst() {
        let mut after = AfterBurst::default();
        assert!(!after.is_over(), "it starts");
        assert!(after.is_over());
        after.note(WORTH_IT / 2);
        assert!(!after.is_over() && !after.is_over(), "too little");
        after.note(WORTH_IT);
        assert!(!after.is_over(), "it goes on");
        assert!(after.is_over());
        assert!(!after.is_over(), "it was given back");
    }
}
